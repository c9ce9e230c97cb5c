/*
 * clv_model_orders.c
 *	  SQL-callable: clv_model() straight from an orders table.
 *
 * One pass over rows of customer, time and amount gathers each customer's days
 * in a log (order_amount.h), as GROUP BY customer with customer_history() would;
 * the final function makes a sample of them (clv_sample.h), and fits it.
 *
 * Promises: the same model as from histories, to the last bit, whatever the
 * order of rows, the plan and the number of workers; the final function changes
 * no content of the state; parameters must be equal in all rows.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "clv/order_log.h"

#include "catalog/pg_type.h"
#include "clv/clv_customer.h"
#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"

/* One set of parameters; groups of a call site may have different ones. */
typedef struct OrderVariant
{
	struct OrderVariant *next;
	OrderShared *shared;
	Calendar   *days;			/* instant -> day, which is a DateADT */
	DateADT		as_of;			/* DATEVAL_NOEND without */
	bool		with_amounts;
	/* as given, NULL for the default: */
	text	   *model;
	text	   *spend;
	text	   *unit;
	text	   *zone;
} OrderVariant;

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct OrderQuery
{
	Oid			at_type;
	bool		vary;			/* an argument may differ from row to row */
	bool		short_keys;
	OrderVariant *variant;		/* of the last row; a list */
} OrderQuery;

/* Arguments in their order; a signature has so many of the first of them. */
#define ARG_CUSTOMER	1
#define ARG_AT			2
#define ARG_AMOUNT		3
#define ARG_AS_OF		4
#define ARG_MODEL		5
#define ARG_SPEND		6
#define ARG_UNIT		7
#define ARG_ZONE		8

/* ---------- parameters ---------- */

static text *
copy_argument(FunctionCallInfo fcinfo, int arg)
{
	return arg < PG_NARGS() && !PG_ARGISNULL(arg) ? PG_GETARG_TEXT_P_COPY(arg) : NULL;
}

static bool
same_argument(FunctionCallInfo fcinfo, int arg, const text *value)
{
	if (arg >= PG_NARGS() || PG_ARGISNULL(arg))
		return value == NULL;
	return value != NULL && text_equal(PG_GETARG_TEXT_PP(arg), value);
}

/* DATEVAL_NOEND where there is none. */
static DateADT
as_of_argument(FunctionCallInfo fcinfo)
{
	DateADT		as_of;

	if (PG_NARGS() <= ARG_AS_OF || PG_ARGISNULL(ARG_AS_OF))
		return DATEVAL_NOEND;
	as_of = PG_GETARG_DATEADT(ARG_AS_OF);
	if (DATE_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("as_of must be finite, not \"%s\"",
						DATE_IS_NOBEGIN(as_of) ? "-infinity" : "infinity"),
				 errhint("Leave as_of out to stand at the latest day of the data.")));
	return as_of;
}

/* Time zones have no default that an argument could stand for. */
static void
require_zone(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() > ARG_ZONE)
		require_argument(fcinfo, ARG_ZONE, "time zone");
}

/* Parameters that have not been seen yet: read and checked.  NULL is the default. */
static OrderVariant *
clv_model_orders_create_variant(FunctionCallInfo fcinfo, OrderQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	OrderVariant *variant = palloc0(sizeof(OrderVariant));
	const PurchaseModel *model = purchase_model(PURCHASE_DEFAULT);
	PeriodSpec	day = {PERIOD_DAY, 0};
	OrderTerms	terms = {0};
	pg_tz	   *tz = NULL;

	variant->model = copy_argument(fcinfo, ARG_MODEL);
	variant->spend = copy_argument(fcinfo, ARG_SPEND);
	variant->unit = copy_argument(fcinfo, ARG_UNIT);
	variant->zone = copy_argument(fcinfo, ARG_ZONE);
	terms.as_of = variant->as_of = as_of_argument(fcinfo);
	terms.has_as_of = variant->as_of != DATEVAL_NOEND;
	if (variant->model != NULL)
		model = clv_purchase_parse(variant->model);
	if (model->discrete && !terms.has_as_of)
		clv_as_of_missing_error(model);
	terms.spec.purchase = model->kind;
	terms.spec.spend = variant->spend == NULL || clv_spend_parse(variant->spend);
	terms.spec.unit = variant->unit == NULL ? TIME_UNIT_DAY : time_unit_parse(variant->unit);
	/* discrete models count periods, which the unit decides here */
	terms.spec.days = !model->discrete;
	variant->with_amounts = terms.spec.spend;

	terms.zoned = query->at_type == TIMESTAMPTZOID;
	if (variant->zone != NULL)
		tz = zone_parse(VARDATA_ANY(variant->zone), VARSIZE_ANY_EXHDR(variant->zone));
	else if (terms.zoned)
		tz = session_timezone;
	if (tz != NULL)
		strlcpy(terms.zone, pg_get_timezone_name(tz), sizeof(terms.zone));
	variant->days = calendar_create(day, terms.zoned, tz);
	variant->shared = order_shared_create(&terms,
										  get_fn_expr_argtype(fcinfo->flinfo, ARG_CUSTOMER),
										  PG_GET_COLLATION(), fcinfo->flinfo->fn_mcxt);
	MemoryContextSwitchTo(old);
	variant->next = query->variant;
	query->variant = variant;
	return variant;
}

/* Are these the parameters of this row?  NULL if so, else the name of one that differs. */
static const char *
clv_model_orders_variant_differs(FunctionCallInfo fcinfo, const OrderVariant *variant)
{
	if (as_of_argument(fcinfo) != variant->as_of)
		return "as_of";
	if (!same_argument(fcinfo, ARG_MODEL, variant->model))
		return "model";
	if (!same_argument(fcinfo, ARG_SPEND, variant->spend))
		return "spend model";
	if (!same_argument(fcinfo, ARG_UNIT, variant->unit))
		return "unit";
	if (!same_argument(fcinfo, ARG_ZONE, variant->zone))
		return "time zone";
	return NULL;
}

/*
 * Parameters that are not constants of the query: those of the row's group,
 * which a row must not differ from, or for a new group those of the row.
 */
static void
clv_model_orders_find_variant(FunctionCallInfo fcinfo, OrderQuery *query, const OrderLog *log)
{
	OrderVariant **link = &query->variant;
	OrderVariant *variant;

	require_zone(fcinfo);
	for (; (variant = *link) != NULL; link = &variant->next)
	{
		const char *differs;

		if (log != NULL && variant->shared != log->shared)
			continue;
		differs = clv_model_orders_variant_differs(fcinfo, variant);
		if (differs == NULL)
			break;
		if (log != NULL)
			order_terms_error(differs);
	}
	if (variant == NULL)
	{
		clv_model_orders_create_variant(fcinfo, query);
		return;
	}
	/* to the front: rows of a group tend to come together */
	*link = variant->next;
	variant->next = query->variant;
	query->variant = variant;
}

/* First row of a call site. */
static pg_noinline OrderQuery *
clv_model_orders_begin_query(FunctionCallInfo fcinfo)
{
	OrderQuery *query;

	require_aggregate(fcinfo, "clv_model");
	query = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(OrderQuery));
	query->at_type = time_argument_type(fcinfo, ARG_AT, "event time");
	require_zone(fcinfo);
	for (int arg = ARG_AS_OF; arg < PG_NARGS(); arg++)
		query->vary |= argument_varies(fcinfo, arg);
	query->short_keys = clv_model_orders_create_variant(fcinfo, query)->shared->keys.short_keys;
	fcinfo->flinfo->fn_extra = query;
	return query;
}

/* ---------- rows ---------- */

/* Zones have no such day at the ends of the calendar: those go the slow way. */
static inline bool
inside_calendar(int64 at)
{
	return at >= MIN_TIMESTAMP + USECS_PER_DAY && at < END_TIMESTAMP - USECS_PER_DAY;
}

static Datum
orders_trans(FunctionCallInfo fcinfo)
{
	/* set only by clv_model_orders_begin_query(): this call site is an aggregate, then */
	OrderQuery *query = fcinfo->flinfo->fn_extra;
	OrderLog  *log = PG_ARGISNULL(0) ? NULL : (OrderLog *) PG_GETARG_POINTER(0);
	OrderVariant *variant;
	uint64		amount = ORDER_UNPAID;
	int64		at;
	DateADT		day;
	Key			key;

	if (query == NULL)
		query = clv_model_orders_begin_query(fcinfo);
	else if (query->vary)
		clv_model_orders_find_variant(fcinfo, query, log);
	variant = query->variant;
	if (log == NULL)
		log = order_log_create(variant->shared, require_aggregate(fcinfo, "clv_model"));
	if (PG_ARGISNULL(ARG_CUSTOMER) || PG_ARGISNULL(ARG_AT))
	{
		log->skipped++;
		PG_RETURN_POINTER(log);
	}
	at = time_value(PG_GETARG_DATUM(ARG_AT), query->at_type);
	if (!inside_calendar(at))
		(void) calendar_to_wall(variant->days, at);
	day = calendar_period(variant->days, at);
	if (day > variant->as_of)
	{
		/* not kept, but no less checked */
		if (variant->with_amounts && !PG_ARGISNULL(ARG_AMOUNT))
			(void) amount_from_datum(PG_GETARG_DATUM(ARG_AMOUNT));
		PG_RETURN_POINTER(log);
	}
	if (variant->with_amounts && !PG_ARGISNULL(ARG_AMOUNT))
		amount = order_amount_datum(&log->customers.log, PG_GETARG_DATUM(ARG_AMOUNT));
	key_from_datum(&log->shared->keys.type, PG_GETARG_DATUM(ARG_CUSTOMER), &key);
	order_log_add(log, &key, day, amount);
	PG_RETURN_POINTER(log);
}

/*
 * The row that most rows are: of a customer known by a short key, on a day met
 * before, not after as_of.  Apart, so that it saves no register that it does not use.
 */
static pg_attribute_always_inline bool
orders_trans_usual(FunctionCallInfo fcinfo)
{
	const OrderQuery *query = fcinfo->flinfo->fn_extra;
	OrderLog  *log = (OrderLog *) fcinfo->args[0].value;
	Datum		customer = fcinfo->args[ARG_CUSTOMER].value;
	int64		at = DatumGetInt64(fcinfo->args[ARG_AT].value);
	uint64		amount = ORDER_UNPAID;
	int32		day;

	if (query == NULL || query->vary || fcinfo->args[0].isnull ||
		fcinfo->args[ARG_CUSTOMER].isnull || fcinfo->args[ARG_AT].isnull ||
		log->customers.by_number || ((uint64) customer >> 32 != 0 && !query->short_keys))
		return false;
	if (query->at_type == DATEOID)
	{
		day = DatumGetDateADT(fcinfo->args[ARG_AT].value);
		if (!IS_VALID_DATE(day) || !inside_calendar(day * USECS_PER_DAY))
			return false;
	}
	else if (!inside_calendar(at) ||
			 !step_cache_probe(&query->variant->days->periods, at, &day))
		return false;
	if (day > query->variant->as_of)
		return false;
	if (query->variant->with_amounts && !fcinfo->args[ARG_AMOUNT].isnull)
		amount = order_amount_datum(&log->customers.log, fcinfo->args[ARG_AMOUNT].value);
	if (day > log->latest)
		log->latest = day;
	event_log_add(&log->customers.log, compact_mix((uint32) customer), day, amount);
	return true;
}

/* One entry point for each signature, whose arguments PG_NARGS() counts. */
#define ORDERS_TRANS(name) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		if (likely(orders_trans_usual(fcinfo))) \
			return fcinfo->args[0].value; \
		return orders_trans(fcinfo); \
	}

ORDERS_TRANS(clv_orders_trans)
ORDERS_TRANS(clv_orders_as_of_trans)
ORDERS_TRANS(clv_orders_model_trans)
ORDERS_TRANS(clv_orders_spend_trans)
ORDERS_TRANS(clv_orders_unit_trans)
ORDERS_TRANS(clv_orders_zone_trans)

/* ---------- states ---------- */

PG_FUNCTION_INFO_V1(clv_orders_serialize);
Datum
clv_orders_serialize(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "clv_model");
	PG_RETURN_BYTEA_P(order_log_serialize((OrderLog *) PG_GETARG_POINTER(0)));
}

/* The image is read where it lies; combine copies what it needs. */
PG_FUNCTION_INFO_V1(clv_orders_deserialize);
Datum
clv_orders_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes;
	OrderImage *image;

	require_aggregate(fcinfo, "clv_model");
	bytes = PG_GETARG_BYTEA_PP(0);
	image = palloc(sizeof(OrderImage));
	image->magic = ORDER_IMAGE_MAGIC;
	image->data = VARDATA_ANY(bytes);
	image->len = VARSIZE_ANY_EXHDR(bytes);
	PG_RETURN_POINTER(image);
}

PG_FUNCTION_INFO_V1(clv_orders_combine);
Datum
clv_orders_combine(PG_FUNCTION_ARGS)
{
	OrderLog  *log = PG_ARGISNULL(0) ? NULL : (OrderLog *) PG_GETARG_POINTER(0);
	OrderImage *image = PG_ARGISNULL(1) ? NULL : (OrderImage *) PG_GETARG_POINTER(1);
	OrderShared *shared = fcinfo->flinfo->fn_extra;
	MemoryContext context;
	OrderImage	copy;

	context = require_aggregate(fcinfo, "clv_model");
	if (image == NULL)
	{
		if (log == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(log);
	}
	if (image->magic == ORDER_BOOK_MAGIC)
	{
		/* a plan that did not serialize: state 2 stays the executor's */
		bytea	   *bytes = order_log_serialize((OrderLog *) image);

		copy.magic = ORDER_IMAGE_MAGIC;
		copy.data = VARDATA_ANY(bytes);
		copy.len = VARSIZE_ANY_EXHDR(bytes);
		image = &copy;
	}
	order_log_merge(&log, &shared, context, fcinfo->flinfo->fn_mcxt, image);
	fcinfo->flinfo->fn_extra = shared;
	PG_RETURN_POINTER(log);
}

/* ---------- the model ---------- */

/*
 * One customer's days, one entry each, ascending: what clv_digest_day() makes of
 * them for models in continuous time, as far as a fit needs it.  Amounts of one
 * scale are the rule.
 */
static void
clv_model_orders_summarize(const EventLog *log, const Entry *entries, uint32 n, DateADT as_of,
		  ClvCustomer *customer)
{
	DateADT		first = entry_time(entries);
	Amount		sum = amount_none();
	int64		paid_days = 0;

	for (uint32 i = 1; i < n; i++)
	{
		uint64		word = entries[i].word;
		uint64		tag = word & ORDER_TAG_MASK;
		Amount		amount;

		if (word == ORDER_UNPAID)
			continue;
		paid_days++;
		if (likely(tag == sum.scale + 1 && tag != ORDER_TAG_BIG && sum.big == NULL))
		{
			/* neither exceeds 2^61 */
			int64		value = sum.value + order_value(word);

			if (likely(value < AMOUNT_VALUE_MAX && value > -AMOUNT_VALUE_MAX))
			{
				sum.value = value;
				continue;
			}
		}
		amount = order_amount_read(log, word);
		sum = amount_add(&sum, &amount);
	}
	customer->x = n - 1;
	customer->t_x = (double) entry_time(&entries[n - 1]) - first;
	customer->age = (double) as_of - first;
	customer->spend_x = paid_days;
	customer->z = paid_days == 0 ? 0 : amount_to_double(&sum) / paid_days;
}

/* The same in calendar periods of the unit. */
static void
summarize_periods(const EventLog *log, const Entry *entries, uint32 n,
				  const ClvDigest *empty, ClvCustomer *customer)
{
	ClvDigest	digest = *empty;

	for (uint32 i = 0; i < n; i++)
	{
		Amount		amount = order_amount_read(log, entries[i].word);

		clv_digest_day(&digest, entry_time(&entries[i]), &amount);
	}
	(void) clv_digest_finish(&digest, customer);
}

static ClvSample *
make_sample(OrderLog *log)
{
	const OrderTerms *terms = &log->shared->terms;
	const PurchaseModel *model = purchase_model(terms->spec.purchase);
	ClvSample  *sample = clv_sample_create(&terms->spec);
	MemoryContext context = CurrentMemoryContext;
	MemoryContext garbage = NULL;	/* sums of large amounts */
	CustomerLog *customers = customer_log_flushed(&log->customers);
	CustomerCursor cursor = {0};
	ClvDigest	empty;
	const Entry *entries;
	uint32		n;

	sample->skipped = log->skipped;
	sample->has_as_of = terms->has_as_of || log->latest != DATEVAL_NOBEGIN;
	sample->as_of = terms->has_as_of ? terms->as_of : log->latest;
	clv_digest_init(&empty, model, (TimeUnit) terms->spec.unit, false,
					sample->has_as_of ? sample->as_of : 0);
	if (event_log_owning(&customers->log))
		garbage = AllocSetContextCreate(context, "large amounts", ALLOCSET_DEFAULT_SIZES);
	while ((entries = customer_log_next(customers, &cursor, &n)) != NULL)
	{
		ClvCustomer customer;
		ClvSample  *larger;

		if (garbage != NULL)
			MemoryContextSwitchTo(garbage);
		if (model->discrete)
			summarize_periods(&customers->log, entries, n, &empty, &customer);
		else
			clv_model_orders_summarize(&customers->log, entries, n, sample->as_of, &customer);
		if (garbage != NULL)
		{
			MemoryContextSwitchTo(context);
			MemoryContextReset(garbage);
		}
		larger = clv_sample_add(sample, customer.x, customer.t_x, customer.age,
								customer.spend_x, customer.z);
		if (larger != sample)
			pfree(sample);
		sample = larger;
	}
	if (garbage != NULL)
		MemoryContextDelete(garbage);
	return sample;
}

/* NULL where no row came: then nothing is known of what was asked, either. */
PG_FUNCTION_INFO_V1(clv_orders_final);
Datum
clv_orders_final(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	ClvSample  *sample;

	require_aggregate(fcinfo, "clv_model");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	sample = make_sample((OrderLog *) PG_GETARG_POINTER(0));
	clv_sample_fit(sample, &model);
	pfree(sample);
	PG_RETURN_POINTER(clv_model_pack(&model));
}
