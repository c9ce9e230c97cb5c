/*
 * clv_models.c
 *	  The models by name: read from a call, listed in a hint, and SQL-callable as
 *	  clv_models().
 *
 * Promises: everything is said by the models themselves, in the order of their
 * table (models/purchase/purchase_models.h).
 * Never: names a model.
 */
#include "clv/clv.h"

#include <ctype.h>
#include <limits.h>

#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* ---------- reading ---------- */

/* The letters and digits of two names, without regard to case. */
static bool
same_name(const char *name, int len, const char *word)
{
	for (;; len--, name++)
	{
		while (len > 0 && !isalnum((unsigned char) *name))
			len--, name++;
		while (*word != '\0' && !isalnum((unsigned char) *word))
			word++;
		if (len == 0 || *word == '\0')
			return len == 0 && *word == '\0';
		if (pg_ascii_tolower((unsigned char) *name) !=
			pg_ascii_tolower((unsigned char) *word))
			return false;
		word++;
	}
}

const PurchaseModel *
clv_purchase_parse(const text *name)
{
	const char *data = VARDATA_ANY(name);
	int			len = VARSIZE_ANY_EXHDR(name);

	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
	{
		const PurchaseModel *model = purchase_model(kind);

		if (model != NULL &&
			(same_name(data, len, model->name) ||
			 (model->alias != NULL && same_name(data, len, model->alias))))
			return model;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown model \"%s\"", text_to_cstring(name)),
			 errhint("Use %s.", clv_model_names(NULL, "or"))));
	return NULL;
}

/* One more name for a hint; the last one comes after "word". */
static void
put_name(StringInfo names, const char *name, int i, int n, const char *word)
{
	if (i > 0 && i < n - 1)
		appendStringInfoString(names, ", ");
	else if (i > 0)
		appendStringInfo(names, " %s ", word);
	appendStringInfo(names, "'%s'", name);
}

bool
clv_spend_parse(const text *name)
{
	const char *data = VARDATA_ANY(name);
	int			len = VARSIZE_ANY_EXHDR(name);
	StringInfoData names;

	initStringInfo(&names);
	for (int kind = 1; kind <= SPEND_KIND_LAST; kind++)
	{
		const SpendModel *model = spend_model(kind);

		if (model == NULL)
			continue;
		if (same_name(data, len, model->name))
			return true;
		put_name(&names, model->name, names.len, INT_MAX, "");
	}
	if (same_name(data, len, "none"))
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown spend model \"%s\"", text_to_cstring(name)),
			 errhint("Use %s, or 'none' for purchases alone.", names.data)));
	return false;
}

/* ---------- hints ---------- */

bool
clv_model_is_contract(const PurchaseModel *model)
{
	return model->contract;
}

bool
clv_model_is_continuous(const PurchaseModel *model)
{
	return !model->discrete;
}

char *
clv_model_names(bool (*which) (const PurchaseModel *), const char *word)
{
	const PurchaseModel *models[PURCHASE_KIND_END];
	StringInfoData names;
	int			n = 0;

	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
	{
		const PurchaseModel *model = purchase_model(kind);

		if (model != NULL && (which == NULL || which(model)))
			models[n++] = model;
	}
	initStringInfo(&names);
	for (int i = 0; i < n; i++)
		put_name(&names, models[i]->name, i, n, word);
	return names.data;
}

/* ---------- clv_models() ---------- */

#define MODEL_COLUMNS 8

static Datum
names_datum(const char *const *names, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", names[i]);
	return CStringGetTextDatum(buf.data);
}

/* "nbd where a runs to zero; nbd where b runs to infinity"; false without limits */
static bool
limits_datum(const PurchaseModel *model, Datum *value)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (const ModelLimit *limit = model->limits; limit->model != NULL; limit++)
	{
		const char *word = "where";

		appendStringInfo(&buf, "%s%s", buf.len > 0 ? "; " : "", limit->model->name);
		for (int i = 0; i < model->nparams; i++)
		{
			unsigned	bit = 1u << i;

			if (!((limit->to_zero | limit->to_infinity) & bit))
				continue;
			appendStringInfo(&buf, " %s %s runs to %s", word, model->param_names[i],
							 limit->to_zero & bit ? "zero" : "infinity");
			word = "and";
		}
	}
	*value = CStringGetTextDatum(buf.data);
	return buf.len > 0;
}

/* What is known of all models, the rest being NULL. */
static void
set_texts(Datum *values, bool *nulls, const char *name, const char *kind, const ModelText *words)
{
	memset(nulls, true, MODEL_COLUMNS * sizeof(bool));
	values[0] = CStringGetTextDatum(name);
	values[1] = CStringGetTextDatum(kind);
	values[4] = CStringGetTextDatum(words->assumes);
	values[5] = CStringGetTextDatum(words->take_when);
	values[7] = CStringGetTextDatum(words->source);
	nulls[0] = nulls[1] = nulls[3] = nulls[4] = nulls[5] = nulls[7] = false;
}

PG_FUNCTION_INFO_V1(clv_models);
Datum
clv_models(PG_FUNCTION_ARGS)
{
	Datum		values[MODEL_COLUMNS] = {0};
	bool		nulls[MODEL_COLUMNS];

	InitMaterializedSRF(fcinfo, 0);
	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
	{
		const PurchaseModel *model = purchase_model(kind);

		if (model == NULL)
			continue;
		set_texts(values, nulls, model->name, model->contract ? "contract" : "purchase",
				  &model->text);
		nulls[2] = false;
		values[2] = CStringGetTextDatum(model->discrete ? "discrete" : "continuous");
		values[3] = names_datum(model->param_names, model->nparams);
		nulls[6] = !limits_datum(model, &values[6]);
		retention_put_row(fcinfo, values, nulls);
	}
	for (int kind = 1; kind <= SPEND_KIND_LAST; kind++)
	{
		const SpendModel *model = spend_model(kind);

		if (model == NULL)
			continue;
		set_texts(values, nulls, model->name, "spend", &model->text);
		values[3] = names_datum(model->param_names, model->nparams);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
