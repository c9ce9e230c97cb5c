/*
 * clv_model_agg.c
 *	  SQL-callable: clv_model() over customers, from histories or from
 *	  (frequency, recency, age, monetary_value).
 *
 * The transition state is a flat sample (clv_sample.h) of type bytea: a type
 * that distributed plans may send around.  What fn_extra holds only saves
 * reading the parameters again, and may be lost after any row.
 *
 * Promises: rows with a NULL among what the model needs are counted, not used;
 * other bad rows are errors that name their values; parameters must be equal in
 * all rows of a group.
 * Never: fits before the last row has come.
 */
#include "clv/clv_customer.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "clv/clv_sample.h"
#include "fmgr/arguments.h"
#include "fmgr/as_of.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"

#define NAME_LENGTH	32			/* longer names are no names */

/* The parameters of the last row, read. */
typedef struct ClvQuery
{
	ClvSpec		spec;
	const PurchaseModel *model;
	int			lengths[3];		/* of the texts; -1: NULL */
	char		texts[3][NAME_LENGTH];
} ClvQuery;

/* Where the parameters stand among the arguments; 0: not given. */
typedef struct ClvArgs
{
	int			model;
	int			spend;
	int			unit;
} ClvArgs;

static const text *
text_argument(FunctionCallInfo fcinfo, int arg)
{
	if (arg == 0 || arg >= PG_NARGS() || PG_ARGISNULL(arg))
		return NULL;
	return PG_GETARG_TEXT_PP(arg);
}

static inline bool
same_text(FunctionCallInfo fcinfo, int arg, const char *data, int len)
{
	const text *value = text_argument(fcinfo, arg);

	if (value == NULL)
		return len == -1;
	return VARSIZE_ANY_EXHDR(value) == len && memcmp(VARDATA_ANY(value), data, len) == 0;
}

static void
keep_text(ClvQuery *query, int i, const text *value)
{
	query->lengths[i] = value == NULL ? -1 : VARSIZE_ANY_EXHDR(value);
	if (query->lengths[i] > NAME_LENGTH)
		query->lengths[i] = -2; /* matches nothing: is read again */
	else if (value != NULL)
		memcpy(query->texts[i], VARDATA_ANY(value), query->lengths[i]);
}

/* NULL parameters stand for their defaults. */
static ClvQuery *
clv_model_agg_query_of(FunctionCallInfo fcinfo, const ClvArgs *args)
{
	ClvQuery   *query = fcinfo->flinfo->fn_extra;
	const text *model;
	const text *spend;
	const text *unit;

	if (likely(query != NULL &&
			   same_text(fcinfo, args->model, query->texts[0], query->lengths[0]) &&
			   same_text(fcinfo, args->spend, query->texts[1], query->lengths[1]) &&
			   same_text(fcinfo, args->unit, query->texts[2], query->lengths[2])))
		return query;
	if (query == NULL)
		query = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(ClvQuery));
	fcinfo->flinfo->fn_extra = NULL;
	memset(query, 0, sizeof(ClvQuery));
	model = text_argument(fcinfo, args->model);
	spend = text_argument(fcinfo, args->spend);
	unit = text_argument(fcinfo, args->unit);
	query->model = model != NULL ? clv_purchase_parse(model) : purchase_model(PURCHASE_DEFAULT);
	query->spec.purchase = query->model->kind;
	query->spec.spend = spend != NULL ? clv_spend_parse(spend) : true;
	query->spec.unit = unit != NULL ? time_unit_parse(unit) : TIME_UNIT_DAY;
	keep_text(query, 0, model);
	keep_text(query, 1, spend);
	keep_text(query, 2, unit);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

static void
parameters_differ(const ClvSpec *a, const ClvSpec *b)
{
	const char *what = a->purchase != b->purchase ? "model" : a->spend != b->spend ?
	"spend model" : a->unit != b->unit ? "unit" : "as_of";

	differ_error(what, "clv_model", HINT_FIT_GROUPS);
}

static void
corrupt_state(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("state of clv_model is corrupt: wrong size")));
}

/* The state, made if there is none. */
static ClvSample *
state_of(FunctionCallInfo fcinfo, const ClvSpec *spec)
{
	ClvSample  *sample;

	if (PG_ARGISNULL(0))
		return clv_sample_create(spec);
	sample = (ClvSample *) PG_GETARG_POINTER(0);
	if (unlikely(!VARATT_IS_4B_U(sample) || VARSIZE(sample) < sizeof(ClvSample) ||
				 sample->magic != CLV_SAMPLE_MAGIC))
		corrupt_state();
	if (unlikely(memcmp(&sample->spec, spec, sizeof(ClvSpec)) != 0))
		parameters_differ(&sample->spec, spec);
	return sample;
}

/* ---------- from histories ---------- */

static void
note_as_of(ClvSample *sample, DateADT as_of)
{
	if (!sample->has_as_of)
		sample->as_of = as_of;
	sample->as_of_varies |= sample->as_of != as_of;
	sample->has_as_of = true;
}

/* A customer without as_of: until the latest day of all is known. */
static ClvSample *
add_until_latest(ClvSample *sample, const PurchaseModel *model, const CustomerHistory *history)
{
	ClvDigest	digest;
	ClvCustomer customer;
	DateADT		latest;
	bool		known;

	clv_digest_init(&digest, model, (TimeUnit) sample->spec.unit, true, DATEVAL_NOEND - 1);
	clv_digest_history(&digest, history);
	known = clv_digest_finish(&digest, &customer);
	/* a day of money alone says, too, until when the data are */
	if (unlikely(history_has_moves(history)))
		latest = history_latest(history);
	else if (known)
		latest = digest.last;
	else
		return sample;
	sample->latest = sample->has_latest ? Max(sample->latest, latest) : latest;
	sample->has_latest = true;
	if (!known)
		return sample;
	return clv_sample_add(sample, customer.x, customer.t_x, digest.first, customer.spend_x,
						  customer.z);
}

static ClvSample *
add_until(ClvSample *sample, const PurchaseModel *model, const CustomerHistory *history,
		  DateADT as_of)
{
	ClvDigest	digest;
	ClvCustomer customer;

	note_as_of(sample, as_of);
	clv_digest_init(&digest, model, (TimeUnit) sample->spec.unit, true, as_of);
	clv_digest_history(&digest, history);
	clv_digest_seen(&digest, &sample->seen);
	/* who comes later is not known yet */
	if (!clv_digest_finish(&digest, &customer))
		return sample;
	return clv_sample_add(sample, customer.x, customer.t_x, customer.age, customer.spend_x,
						  customer.z);
}

#define HISTORY_ARG	1
#define AS_OF_ARG	2

PG_FUNCTION_INFO_V1(clv_model_history_trans);
Datum
clv_model_history_trans(PG_FUNCTION_ARGS)
{
	static const ClvArgs args = {3, 4, 5};
	ClvQuery   *query;
	ClvSpec		spec;
	ClvSample  *sample;
	AsOf		as_of = argument_as_of(fcinfo, AS_OF_ARG, InvalidOid, AS_OF_HINT_COMPLETE);
	bool		has_as_of = as_of.kind != AS_OF_NONE;

	require_aggregate(fcinfo, "clv_model");
	query = clv_model_agg_query_of(fcinfo, &args);
	spec = query->spec;
	spec.days = !query->model->discrete;
	spec.first_days = !has_as_of;
	if (query->model->discrete && !has_as_of)
		clv_as_of_missing_error(query->model);
	sample = state_of(fcinfo, &spec);
	if (PG_ARGISNULL(HISTORY_ARG))
		sample->skipped++;
	else if (has_as_of)
		sample = add_until(sample, query->model, PG_GETARG_HISTORY_PP(HISTORY_ARG),
						   as_of_last_day(&as_of, NULL));
	else
		sample = add_until_latest(sample, query->model, PG_GETARG_HISTORY_PP(HISTORY_ARG));
	PG_RETURN_POINTER(sample);
}

/* ---------- from summaries ---------- */

PG_FUNCTION_INFO_V1(clv_model_summary_trans);
Datum
clv_model_summary_trans(PG_FUNCTION_ARGS)
{
	static const ClvArgs args = {5, 6, 7};
	ClvQuery   *query;
	ClvSpec		spec;
	ClvSample  *sample;
	double		x;
	double		t_x;
	double		age;
	double		z = 0;
	bool		has_spend = PG_NARGS() > 4 && !PG_ARGISNULL(4);

	require_aggregate(fcinfo, "clv_model");
	query = clv_model_agg_query_of(fcinfo, &args);
	spec = query->spec;
	if (PG_NARGS() <= 4)
		spec.spend = false;
	sample = state_of(fcinfo, &spec);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		sample->skipped++;
		PG_RETURN_POINTER(sample);
	}
	x = PG_GETARG_FLOAT8(1);
	t_x = PG_GETARG_FLOAT8(2);
	age = PG_GETARG_FLOAT8(3);
	clv_customer_check(query->model, x, t_x, age);
	if (spec.spend)
		clv_monetary_check(x, t_x, age, has_spend ? &fcinfo->args[4].value : NULL);
	if (has_spend)
		z = PG_GETARG_FLOAT8(4);
	PG_RETURN_POINTER(clv_sample_add(sample, x, t_x, age, x, z));
}

/* ---------- both ---------- */

PG_FUNCTION_INFO_V1(clv_model_combine);
Datum
clv_model_combine(PG_FUNCTION_ARGS)
{
	ClvSample  *more;

	require_aggregate(fcinfo, "clv_model");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	/* a copy: whole, aligned and ours, wherever the state came from */
	more = (ClvSample *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1));
	if (VARSIZE(more) < sizeof(ClvSample))
		corrupt_state();
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(more);
	PG_RETURN_POINTER(clv_sample_merge(state_of(fcinfo, &more->spec), more));
}

PG_FUNCTION_INFO_V1(clv_model_final);
Datum
clv_model_final(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	const ClvSample *sample;

	require_aggregate(fcinfo, "clv_model");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sample = (ClvSample *) PG_GETARG_POINTER(0);
	clv_sample_fit(sample, &model);
	seen_tell(fcinfo, &sample->seen, model.has_as_of ? &model.as_of : NULL, sample->skipped);
	PG_RETURN_POINTER(clv_model_pack(&model));
}
