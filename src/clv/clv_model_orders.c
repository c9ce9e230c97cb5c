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
#include "fmgr/as_of.h"
#include "fmgr/parameter_sets.h"
#include "fmgr/state_transport.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "value/amount_argument.h"

/* One set of parameters; groups of a call site may have different ones. */
typedef struct OrderParameterSet
{
	ParameterSet base;			/* shared: that below */
	OrderShared *shared;
	Calendar   *days;			/* instant -> day, which is a DateADT */
	AsOf		as_of;			/* as given */
	DateADT		last_day;		/* DATEVAL_NOEND without as_of */
	bool		with_amounts;
	/* as given, NULL for the default: */
	text	   *model;
	text	   *spend;
	text	   *unit;
	text	   *zone;
} OrderParameterSet;

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct OrderPerQuery
{
	Oid			at_type;
	Oid			amount_type;
	bool		vary;			/* an argument may differ from row to row */
	bool		short_keys;
	ParameterSet *sets;			/* OrderParameterSet; that of the last row first */
} OrderPerQuery;

static inline OrderParameterSet *
clv_model_orders_set(const OrderPerQuery *query)
{
	return (OrderParameterSet *) query->sets;
}

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

/* Time zones have no default that an argument could stand for. */
static void
require_zone(FunctionCallInfo fcinfo)
{
	if (PG_NARGS() > ARG_ZONE)
		require_argument(fcinfo, ARG_ZONE, "time zone");
}

/* Parameters that have not been seen yet: read and checked.  NULL is the default. */
static void
clv_model_orders_create_set(FunctionCallInfo fcinfo, OrderPerQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	OrderParameterSet *set = palloc0(sizeof(OrderParameterSet));
	const PurchaseModel *model = purchase_model(PURCHASE_DEFAULT);
	PeriodSpec	day = {PERIOD_DAY, 0};
	OrderTerms	terms = {0};
	pg_tz	   *tz = NULL;

	set->model = parameter_text_copy(fcinfo, ARG_MODEL);
	set->spend = parameter_text_copy(fcinfo, ARG_SPEND);
	set->unit = parameter_text_copy(fcinfo, ARG_UNIT);
	set->zone = parameter_text_copy(fcinfo, ARG_ZONE);
	set->as_of = argument_as_of(fcinfo, ARG_AS_OF, InvalidOid, AS_OF_HINT_DAY);
	terms.has_as_of = set->as_of.kind != AS_OF_NONE;
	if (set->model != NULL)
		model = clv_purchase_parse(set->model);
	if (model->discrete && !terms.has_as_of)
		clv_as_of_missing_error(model);
	terms.spec.purchase = model->kind;
	terms.spec.spend = set->spend == NULL || clv_spend_parse(set->spend);
	terms.spec.unit = set->unit == NULL ? TIME_UNIT_DAY : time_unit_parse(set->unit);
	/* discrete models count periods, which the unit decides here */
	terms.spec.days = !model->discrete;
	set->with_amounts = terms.spec.spend;

	terms.zoned = query->at_type == TIMESTAMPTZOID;
	if (set->zone != NULL)
		tz = zone_parse(VARDATA_ANY(set->zone), VARSIZE_ANY_EXHDR(set->zone));
	else if (terms.zoned)
		tz = session_timezone;
	if (tz != NULL)
		strlcpy(terms.zone, pg_get_timezone_name(tz), sizeof(terms.zone));
	terms.as_of = set->last_day = terms.has_as_of ? as_of_last_day(&set->as_of, tz) :
		DATEVAL_NOEND;
	set->days = calendar_create(day, terms.zoned, tz);
	set->shared = order_shared_create(&terms,
									  get_fn_expr_argtype(fcinfo->flinfo, ARG_CUSTOMER),
									  PG_GET_COLLATION(), fcinfo->flinfo->fn_mcxt);
	MemoryContextSwitchTo(old);
	set->base.shared = set->shared;
	parameter_sets_add(&query->sets, &set->base);
}

/* Are these the parameters of this row?  NULL if so, else the name of one that differs. */
static const char *
clv_model_orders_differs(FunctionCallInfo fcinfo, const void *query, const ParameterSet *it)
{
	const OrderParameterSet *set = (const OrderParameterSet *) it;
	AsOf		as_of = argument_as_of(fcinfo, ARG_AS_OF, InvalidOid, AS_OF_HINT_DAY);

	if (!as_of_equal(&as_of, &set->as_of))
		return "as_of";
	if (!parameter_text_same(fcinfo, ARG_MODEL, set->model))
		return "model";
	if (!parameter_text_same(fcinfo, ARG_SPEND, set->spend))
		return "spend model";
	if (!parameter_text_same(fcinfo, ARG_UNIT, set->unit))
		return "unit";
	if (!parameter_text_same(fcinfo, ARG_ZONE, set->zone))
		return "time zone";
	return NULL;
}

/*
 * Parameters that are not constants of the query: those of the row's group,
 * which a row must not differ from, or for a new group those of the row.
 */
static void
clv_model_orders_find_set(FunctionCallInfo fcinfo, OrderPerQuery *query, const OrderLog *log)
{
	require_zone(fcinfo);
	if (!parameter_sets_find(&query->sets, log == NULL ? NULL : log->shared, fcinfo, query,
							 clv_model_orders_differs))
		clv_model_orders_create_set(fcinfo, query);
}

/* First row of a call site. */
static pg_noinline OrderPerQuery *
clv_model_orders_begin_query(FunctionCallInfo fcinfo)
{
	OrderPerQuery *query;

	require_aggregate(fcinfo, "clv_model");
	query = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(OrderPerQuery));
	query->at_type = time_argument_type(fcinfo, ARG_AT, "event time");
	query->amount_type = amount_argument_type(fcinfo, ARG_AMOUNT);
	require_zone(fcinfo);
	for (int arg = ARG_AS_OF; arg < PG_NARGS(); arg++)
		query->vary |= argument_varies(fcinfo, arg);
	clv_model_orders_create_set(fcinfo, query);
	query->short_keys = clv_model_orders_set(query)->shared->keys.short_keys;
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

/*
 * What a row brings to its customer's day.  False where that is nothing: money came
 * back, and no model of spend is asked for.
 */
static pg_attribute_always_inline bool
orders_row_word(FunctionCallInfo fcinfo, const OrderPerQuery *query, OrderLog *log, uint64 *word)
{
	Datum		value = fcinfo->args[ARG_AMOUNT].value;
	Amount		amount;

	*word = ORDER_UNPAID;
	if (fcinfo->args[ARG_AMOUNT].isnull)
		return true;
	if (clv_model_orders_set(query)->with_amounts)
	{
		*word = order_amount_datum(&log->customers.log, value, query->amount_type);
		return true;
	}
	if (likely(query->amount_type == NUMERICOID))
		return !amount_datum_is_negative(value);
	amount = amount_argument(value, query->amount_type);
	return !amount_is_negative(&amount);
}

static Datum
orders_trans(FunctionCallInfo fcinfo)
{
	/* set only by clv_model_orders_begin_query(): this call site is an aggregate, then */
	OrderPerQuery *query = fcinfo->flinfo->fn_extra;
	OrderLog   *log = PG_ARGISNULL(0) ? NULL : (OrderLog *) PG_GETARG_POINTER(0);
	OrderParameterSet *set;
	uint64		amount;
	int64		at;
	DateADT		day;
	Key			key;

	if (query == NULL)
		query = clv_model_orders_begin_query(fcinfo);
	else if (query->vary)
		clv_model_orders_find_set(fcinfo, query, log);
	set = clv_model_orders_set(query);
	if (log == NULL)
		log = order_log_create(set->shared, require_aggregate(fcinfo, "clv_model"));
	if (PG_ARGISNULL(ARG_CUSTOMER) || PG_ARGISNULL(ARG_AT) ||
		key_has_null(&set->shared->keys.type, PG_GETARG_DATUM(ARG_CUSTOMER)))
	{
		log->skipped++;
		PG_RETURN_POINTER(log);
	}
	at = time_value(PG_GETARG_DATUM(ARG_AT), query->at_type);
	if (!inside_calendar(at))
		(void) calendar_to_wall(set->days, at);
	day = calendar_period(set->days, at);
	if (day > set->last_day)
	{
		log->later = true;
		/* not kept, but no less checked */
		if (!PG_ARGISNULL(ARG_AMOUNT))
			(void) amount_argument(PG_GETARG_DATUM(ARG_AMOUNT), query->amount_type);
		PG_RETURN_POINTER(log);
	}
	if (!orders_row_word(fcinfo, query, log, &amount))
	{
		log->latest = Max(log->latest, day);
		PG_RETURN_POINTER(log);
	}
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
	const OrderPerQuery *query = fcinfo->flinfo->fn_extra;
	OrderLog   *log = (OrderLog *) fcinfo->args[0].value;
	Datum		customer = fcinfo->args[ARG_CUSTOMER].value;
	int64		at = DatumGetInt64(fcinfo->args[ARG_AT].value);
	uint64		amount;
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
			 !step_cache_probe(&clv_model_orders_set(query)->days->periods, at, &day))
		return false;
	if (day > clv_model_orders_set(query)->last_day)
		return false;
	if (day > log->latest)
		log->latest = day;
	if (!orders_row_word(fcinfo, query, log, &amount))
		return true;
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

STATE_TRANSPORT(clv_orders, OrderLog, OrderShared, "clv_model", ORDER_BOOK_MAGIC,
				order_log_serialize, order_log_merge);

/* ---------- the model ---------- */

/*
 * One customer's days, one entry each, ascending, the first a purchase: what
 * clv_digest_history() makes of them for models in continuous time, as far as a
 * fit needs it.  Amounts of one scale are the rule.
 */
static void
clv_model_orders_summarize(const EventLog *log, const Entry *entries, uint32 n, DateADT as_of,
						   ClvCustomer *customer)
{
	DateADT		first = entry_time(entries);
	Amount		sum = amount_none();
	int64		paid_days = 0;
	uint32		last = 0;		/* the latest purchase */
	uint32		moves = 0;
	bool		paid = false;	/* has it, or what is charged to it, an amount? */

	for (uint32 i = 1; i < n; i++)
	{
		uint64		word = entries[i].word;
		uint64		tag = word & ORDER_TAG_MASK;
		Amount		amount;

		if (likely(!(word & ORDER_MOVE)))
		{
			last = i;
			paid = word != ORDER_UNPAID;
			paid_days += paid;
			if (!paid)
				continue;
		}
		else
		{
			moves++;
			/* charged to the first purchase, which does not count */
			if (last == 0)
				continue;
			paid_days += !paid;
			paid = true;
		}
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
	customer->x = n - 1 - moves;
	customer->t_x = (double) entry_time(&entries[last]) - first;
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

	for (uint32 i = 0; i < n;)
	{
		DateADT		day = entry_time(&entries[i]);
		Amount		amount = order_amount_read(log, entries[i].word);

		for (i++; i < n && entries[i].word & ORDER_MOVE; i++)
		{
			Amount		move = order_amount_read(log, entries[i].word);

			amount = amount_add(&amount, &move);
		}
		clv_digest_day(&digest, day, &amount);
	}
	(void) clv_digest_finish(&digest, customer);
}

/* The orders of a customer, of which the first is a purchase, to those of all. */
static void
orders_seen(Seen *seen, const Entry *entries, uint32 n)
{
	const Entry *before = entries;
	const Entry *last = entries;
	uint32		purchases = 0;

	for (uint32 i = 0; i < n; i++)
		if (!(entries[i].word & ORDER_MOVE))
		{
			before = last;
			last = &entries[i];
			purchases++;
		}
	seen_add(seen, entry_time(entries), entry_time(before), entry_time(last), purchases);
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
	sample->seen.later = log->later;
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

		/* money that moved before the first purchase */
		for (; n > 0 && entries->word & ORDER_MOVE; n--)
			entries++;
		if (n == 0)
			continue;
		orders_seen(&sample->seen, entries, n);
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
	seen_tell(fcinfo, &sample->seen, model.has_as_of ? &model.as_of : NULL, sample->skipped);
	pfree(sample);
	PG_RETURN_POINTER(clv_model_pack(&model));
}
