/*
 * churn_leakage.c
 *	  Features that give the outcome away: the day of cancellation, a status, the
 *	  outcome itself.
 *
 * A penalised fit converges on them, and its scores are worth nothing.  Such a
 * feature alone tells all outcomes: numbers by a threshold, texts by their
 * levels, both also by being NULL.  In a small sample chance does the same: with
 * b buckets (below and above the threshold, levels, NULL) at most 2^b of the
 * C(n, positives) ways to deal out the outcomes can be told, so that a feature
 * is named where that is less than one in a thousand, for all of them together.
 *
 * Promises: most features are done with after a few rows.
 * Never: changes the sample or the model.
 */
#include "churn/churn_sample_rows.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"

#define POLL_ROWS	1024
#define CHANCE		0.001
#define OUTCOME(churned) ((uint8) (1 << (churned)))
#define BOTH		3

typedef struct Suspect
{
	int			feature;
	double		low[2];			/* of numbers, by outcome */
	double		high[2];
	uint8		nulls;			/* outcomes of rows where it is NULL */
	uint8		known;			/* of the others */
	uint8	   *labels;			/* of rows with each label of a text */
} Suspect;

/* True as long as its numbers can be told by a threshold. */
static bool
is_apart(const Suspect *suspect)
{
	return suspect->known != BOTH || suspect->high[0] < suspect->low[1] ||
		suspect->high[1] < suspect->low[0];
}

/* False if the row clears it. */
static bool
suspect_row(const ChurnShape *shape, Suspect *suspect, const double *row, bool churned)
{
	double		value = row[suspect->feature];

	if (isnan(value))
	{
		suspect->nulls |= OUTCOME(churned);
		return suspect->nulls != BOTH;
	}
	if (suspect->labels != NULL)
		return (suspect->labels[(uint32) value] |= OUTCOME(churned)) != BOTH;
	if ((suspect->known & OUTCOME(churned)) == 0)
		suspect->low[churned] = suspect->high[churned] = value;
	suspect->known |= OUTCOME(churned);
	suspect->low[churned] = Min(suspect->low[churned], value);
	suspect->high[churned] = Max(suspect->high[churned], value);
	return is_apart(suspect);
}

/* Drops those that a row clears; returns how many are left. */
static int
interrogate(const ChurnSample *sample, Suspect *suspects, int n)
{
	RowWalk		walk = {sample, 0, 0};
	const uint8 *outcome;
	const double *row;

	while (n > 0 && (row = row_walk_next(&walk, &outcome)) != NULL)
	{
		int			left = 0;

		if (walk.row % POLL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			if (suspect_row(sample->shape, &suspects[i], row, *outcome != 0))
				suspects[left++] = suspects[i];
		n = left;
	}
	return n;
}

/* Buckets that the model tells apart, or 0 if one of them has both outcomes. */
static int
pure_buckets(const ChurnSample *sample, const Suspect *suspect, const ChurnFeature *feature)
{
	const Dictionary *dictionary;
	uint8		pooled = 0;

	if (suspect->labels == NULL)
		return (suspect->known == BOTH ? 2 : 1) + (suspect->nulls != 0);
	dictionary = &sample->dictionaries[sample->shape->category[suspect->feature]];
	for (uint32 i = 0; i < dictionary->n; i++)
		if (feature->nlevels == 0 ||
			feature_level(feature, dictionary_text(dictionary, i),
						  dictionary->labels[i].length) == LEVEL_OTHER)
			pooled |= suspect->labels[i];
	if (pooled == BOTH || feature->columns == 0)
		return 0;
	return feature->nlevels + (pooled != 0) + (suspect->nulls != 0);
}

static double
log_choose(double n, double k)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
}

char *
churn_sample_leakages(const ChurnSample *sample, const ChurnModel *model)
{
	const ChurnShape *shape = sample->shape;
	Suspect    *suspects = palloc0(Max(shape->n, 1) * sizeof(Suspect));
	double		ways = log_choose(sample->rows, sample->positives) + log(CHANCE / Max(shape->n, 1));
	StringInfoData names;
	int			n;

	for (int f = 0; f < shape->n; f++)
	{
		suspects[f].feature = f;
		if (shape->category[f] >= 0 && sample->dictionaries != NULL)
			suspects[f].labels =
				MemoryContextAllocExtended(CurrentMemoryContext,
										   Max(sample->dictionaries[shape->category[f]].n, 1),
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	n = interrogate(sample, suspects, shape->n);
	initStringInfo(&names);
	for (int i = 0; i < n; i++)
	{
		const ChurnFeature *feature = &model->features[suspects[i].feature];
		int			buckets = pure_buckets(sample, &suspects[i], feature);

		if (buckets > 0 && buckets * log(2) < ways)
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", feature->name);
	}
	return names.len > 0 ? names.data : NULL;
}
