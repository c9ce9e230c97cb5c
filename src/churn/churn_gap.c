/*
 * churn_gap.c
 *	  The method 'gap_survival' of a churn_model: how long the gaps between the
 *	  purchases of all customers last (Kaplan and Meier 1958), for histories that are
 *	  too few to learn from.
 *
 * A customer who was silent for so many days is in a gap that has lasted so long:
 * S(recency + horizon) / S(recency).
 *
 * Promises and what it never does: see churn_classifier.h.
 */
#include "churn/churn_classifier.h"

#include <math.h>

#include "churn/churn_json.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"

static int
churn_gap_compare(const void *a, const void *b)
{
	double		x = ((const KmPoint *) a)->time;
	double		y = ((const KmPoint *) b)->time;

	return (x > y) - (x < y);
}

static void
churn_gap_fit(KmPoint *gaps, int n, ChurnModel *model)
{
	double		at_risk = 0;

	/* nobody has ever come back: that says nothing about when they do */
	model->status = n > 0 ? CHURN_CONVERGED : CHURN_NO_LABELS;
	model->gaps = gaps;
	model->ngaps = n;
	if (n == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	qsort(gaps, n, sizeof(KmPoint), churn_gap_compare);
	for (int i = n - 1; i >= 0; i--)
	{
		at_risk += gaps[i].events + gaps[i].censored;
		gaps[i].at_risk = at_risk;
	}
	km_estimate(gaps, n);
}

static bool
churn_gap_score(const ChurnModel *model, int32 recency, double *p)
{
	double		now = km_survival(model->gaps, model->ngaps, recency);

	if (model->ngaps == 0 || !(now > 0))
		return false;
	*p = km_survival(model->gaps, model->ngaps, (double) recency + model->horizon) / now;
	return true;
}

/*
 * How likely a customer is who has just bought, in log-odds, and what their silence
 * changes.  Where the former is certain, so that it has no log-odds, from even
 * odds.
 */
static bool
churn_gap_explain(const ChurnModel *model, int32 recency, double *baseline, double *contribution)
{
	double		start = 0;
	double		p;

	if (!churn_gap_score(model, recency, &p))
		return false;
	if (churn_gap_score(model, 0, &start) && start > 0 && start < 1)
		*baseline = log(start / (1 - start));
	else
		*baseline = 0;
	*contribution = log(p / (1 - p)) - *baseline;
	return true;
}

static void
churn_gap_to_json(StringInfo buf, const ChurnModel *model)
{
	appendStringInfoString(buf, ",\"gaps\":[");
	for (int i = 0; i < model->ngaps; i++)
	{
		const KmPoint *gap = &model->gaps[i];

		appendStringInfo(buf, "%s{\"days\":%s", i == 0 ? "" : ",", churn_number_text(gap->time));
		churn_put_number(buf, "at_risk", gap->at_risk);
		churn_put_number(buf, "events", gap->events);
		churn_put_number(buf, "censored", gap->censored);
		churn_put_number(buf, "survival", gap->survival);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

const Classifier churn_gap = {
	.method = CHURN_GAP,
	.name = "gap_survival",
	.fit_history = churn_gap_fit,
	.score_history = churn_gap_score,
	.explain_history = churn_gap_explain,
	.no_scores = "no customer has bought on two days by as_of",
	.no_scores_hint = "The survival of the gaps between purchases is known when some have come back.",
	.to_json = churn_gap_to_json
};
