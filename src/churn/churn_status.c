/*
 * churn_status.c
 *	  Names of columns and ends of fits, and what those mean.
 *
 * Promises: names are those of SQL and jsonb and never change.
 */
#include "churn/churn_model.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#define NAME_SHOWN	200			/* bytes of a column's name, in a message */

const char *
churn_status_name(ChurnStatus status)
{
	switch (status)
	{
		case CHURN_CONVERGED:
			return "converged";
		case CHURN_SEPARATED:
			return "separation";
		case CHURN_DEPENDENT:
			return "dependent_columns";
		case CHURN_STOPPED:
			return "not_converged";
		case CHURN_NO_LABELS:
			return "no_labels";
		case CHURN_ONE_CLASS:
			return "one_class";
		case CHURN_FEW_ROWS:
			return "few_rows";
	}
	return "unknown";
}

/* Feature and level of a design column, for people. */
char *
churn_column_name(const ChurnModel *model, int column)
{
	const ChurnColumn *c = &model->columns[column];
	const ChurnFeature *f = &model->features[c->feature];

	switch (c->level)
	{
		case COLUMN_VALUE:
			return pstrdup(f->name);
		case COLUMN_OTHER:
			return psprintf("%s=(other)", f->name);
		case COLUMN_MISSING:
			return psprintf("%s=(missing)", f->name);
		default:
			return psprintf("%s=%s", f->name, f->levels[c->level]);
	}
}

/* A name in a list; a level may be a whole document. */
static void
put_name(StringInfo names, const char *name)
{
	int			length = strlen(name);
	int			shown = pg_mbcliplen(name, length, NAME_SHOWN);

	appendStringInfo(names, "%s\"%.*s%s\"", names->len > 0 ? ", " : "", shown, name,
					 shown < length ? "..." : "");
}

/* The columns that were left out, the first few by name. */
static char *
dependent_columns(const ChurnModel *model)
{
	StringInfoData names;
	int			n = 0;

	initStringInfo(&names);
	for (int i = 0; i < model->ncolumns; i++)
	{
		if (model->terms == NULL || !isnan(model->terms[i].coef_std))
			continue;
		n++;
		if (n <= 3)
			put_name(&names, churn_column_name(model, i));
	}
	if (n > 3)
		appendStringInfo(&names, " and %d more", n - 3);
	return n == 0 ? pstrdup("some") : names.data;
}

char *
churn_status_text(const ChurnModel *model)
{
	switch (model->status)
	{
		case CHURN_CONVERGED:
			return pstrdup("the fit reached its maximum");
		case CHURN_SEPARATED:
			return psprintf("some features tell all or some of the rows that churned from the others without error (separation; " INT64_FORMAT " of " INT64_FORMAT " rows churned), so that the likelihood has no maximum, and coefficients and probabilities mean nothing; set \"lambda\" above 0, or leave out the feature that gives the outcome away",
							model->positives, model->rows);
		case CHURN_DEPENDENT:
			return psprintf("columns are linearly dependent on those before them and were left out: %s; leave them out yourself, or set \"lambda\" above 0",
							dependent_columns(model));
		case CHURN_STOPPED:
			return psprintf("the search stopped before it reached a maximum, after %d steps; set a larger \"lambda\", or look for features of extreme values",
							model->fit.iterations);
		case CHURN_NO_LABELS:
			return psprintf("no row with a known outcome to learn from (" INT64_FORMAT " without an outcome, " INT64_FORMAT " skipped for a NULL feature or no weight); give rows whose churned is true or false",
							model->unlabelled, model->skipped);
		case CHURN_ONE_CLASS:
			return psprintf("all " INT64_FORMAT " rows with a known outcome %s, so there is nothing to tell apart; give rows of both outcomes",
							model->rows, model->positives > 0 ? "churned" : "stayed");
		case CHURN_FEW_ROWS:
			return psprintf("%d columns of features, but only " INT64_FORMAT " rows with a known outcome, so that the penalty alone decides between them; give more rows or fewer features",
							model->ncolumns, model->rows);
	}
	return pstrdup("unknown");
}
