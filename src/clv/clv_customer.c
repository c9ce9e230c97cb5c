/*
 * clv_customer.c
 *	  Customers as the models see them: from histories, and checked.
 *
 * Promises: see clv_customer.h; errors name the values of the row.
 * Never: rounds a count or a date.
 */
#include "clv/clv_customer.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/as_of.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static const PeriodUnit unit_periods[] = {
	PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR, PERIOD_HALF
};

void
clv_digest_init(ClvDigest *digest, const PurchaseModel *model, TimeUnit unit, bool in_days,
				DateADT as_of)
{
	memset(digest, 0, sizeof(ClvDigest));
	digest->discrete = model->discrete;
	digest->unit_days = in_days ? 1 : time_unit_days[unit];
	digest->as_of = as_of;
	digest->sum = amount_none();
	digest->first_sum = amount_none();
	if (digest->discrete)
	{
		digest->spec.unit = unit_periods[unit];
		digest->complete = calendar_period_of_day(digest->spec, as_of + 1) - 1;
	}
}

void
clv_digest_day(ClvDigest *digest, DateADT day, const Amount *amount)
{
	int32		step = day;

	if (day > digest->as_of)
		return;
	if (digest->days == 0)
		digest->first_day = digest->last_day = day;
	digest->before_day = digest->last_day;
	digest->last_day = day;
	digest->days++;
	if (digest->discrete)
	{
		step = calendar_period_of_day(digest->spec, day);
		if (digest->steps > 0 && step > digest->complete)
			return;
	}
	if (digest->steps == 0)
	{
		digest->first = digest->last = step;
		digest->steps = 1;
	}
	if (step == digest->first)
	{
		digest->first_sum = amount_add(&digest->first_sum, amount);
		return;
	}
	if (step != digest->last)
	{
		digest->last = step;
		digest->steps++;
		digest->paid = false;
	}
	if (amount->scale == AMOUNT_NONE)
		return;
	if (!digest->paid)
	{
		digest->paid = true;
		digest->paid_steps++;
	}
	digest->sum = amount_add(&digest->sum, amount);
}

/* Few will ask for it: what does not fit a double is no error here. */
static double
first_spend(const ClvDigest *digest)
{
	const Amount *sum = &digest->first_sum;

	if (sum->big != NULL)
		return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												  NumericGetDatum(sum->big)));
	return sum->scale == AMOUNT_NONE ? get_float8_nan() : amount_to_double(sum);
}

bool
clv_digest_finish(const ClvDigest *digest, ClvCustomer *customer)
{
	int32		until = digest->discrete ? Max(digest->complete, digest->first) : digest->as_of;

	if (digest->steps == 0)
		return false;
	customer->x = digest->steps - 1;
	customer->t_x = (double) digest->last - digest->first;
	customer->age = (double) until - digest->first;
	if (!digest->discrete && digest->unit_days != 1)
	{
		customer->t_x /= digest->unit_days;
		customer->age /= digest->unit_days;
	}
	customer->spend_x = digest->paid_steps;
	customer->z = digest->paid_steps == 0 ? 0 :
		amount_to_double(&digest->sum) / digest->paid_steps;
	customer->own = digest->paid_steps > 0 ? customer->z : first_spend(digest);
	return true;
}

void
clv_digest_history(ClvDigest *digest, const CustomerHistory *history)
{
	HistoryReader reader;
	HistoryCharged charged;

	if (unlikely(history_has_moves(history)))
	{
		history_charged_open(&charged, history, digest->as_of);
		while (history_charged_day(&charged))
			clv_digest_day(digest, charged.day.day, &charged.day.amount);
		history_reader_open(&reader, history);
		while (history_reader_read_dates(&reader))
			digest->later |= reader.day.day > digest->as_of;
		return;
	}
	history_reader_open(&reader, history);
	while (history_reader_day(&reader) && reader.day.day <= digest->as_of)
		clv_digest_day(digest, reader.day.day, &reader.day.amount);
	digest->later = reader.days > 0 && reader.day.day > digest->as_of;
}

bool
clv_customer_from_history(const PurchaseModel *model, TimeUnit unit,
						  const CustomerHistory *history, DateADT as_of, ClvCustomer *customer,
						  Seen *seen)
{
	ClvDigest	digest;

	clv_digest_init(&digest, model, unit, false, as_of);
	clv_digest_history(&digest, history);
	if (seen != NULL)
		clv_digest_seen(&digest, seen);
	return clv_digest_finish(&digest, customer);
}

/* ---------- checks ---------- */

DateADT
clv_as_of_argument(FunctionCallInfo fcinfo, int arg, const ClvModel *model)
{
	AsOf		as_of = argument_as_of(fcinfo, arg, InvalidOid, AS_OF_HINT_COMPLETE);

	if (likely(as_of.kind != AS_OF_NONE))
		return as_of_last_day(&as_of, NULL);
	if (!model->has_as_of)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("as_of must not be NULL: the model has none of its own"),
				 errhint("Give the day until which the customer's history is complete.")));
	return model->as_of;
}

void
clv_as_of_missing_error(const PurchaseModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("as_of must not be NULL for model \"%s\"", model->name),
			 errhint("Its periods count when they have ended: give the day until which the data are complete.")));
}

static void
customer_error(const char *wrong, const char *hint, double x, double t_x, double age)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", wrong),
			 errdetail("The row has frequency %.15g, recency %.15g, age %.15g.", x, t_x, age),
			 errhint("%s", hint)));
}

static inline bool
clv_customer_is_whole(double value)
{
	return value == floor(value);
}

#define COUNT_MAX 1e9			/* beyond, a number is a slip: a unit of microseconds, say */

void
clv_customer_check(const PurchaseModel *model, double x, double t_x, double age)
{
	static const char *const where =
	"frequency is the number of repeat purchases, recency the time of the last one and age the time until today, both since the first purchase, as clv_summary() gives them.";

	/* written so that NaN fails */
	if (!(x >= 0 && x <= COUNT_MAX))
		customer_error("frequency must be a number of purchases, from 0 to 1e9", where, x, t_x, age);
	if (!(t_x >= 0 && t_x <= COUNT_MAX))
		customer_error("recency must be from 0 to 1e9", where, x, t_x, age);
	if (!(age >= 0 && age <= COUNT_MAX))
		customer_error("age must be from 0 to 1e9", where, x, t_x, age);
	if (!clv_customer_is_whole(x))
		customer_error("frequency must be a whole number", where, x, t_x, age);
	if (t_x > age)
		customer_error("recency must not exceed age", where, x, t_x, age);
	if (x == 0 && t_x > 0 && !model->contract)
		customer_error("recency must be 0 where frequency is 0", where, x, t_x, age);
	if (!model->discrete)
		return;
	if (!clv_customer_is_whole(t_x) || !clv_customer_is_whole(age))
		customer_error("recency and age must be whole numbers of periods",
					   "The model counts opportunities or renewals: give times in whole periods, or use a model in continuous time.",
					   x, t_x, age);
	if (!model->contract && x > t_x)
		customer_error("frequency must not exceed recency",
					   "The model has at most one purchase a period.", x, t_x, age);
}

void
clv_monetary_check(double x, double t_x, double age, const Datum *z)
{
	if (x == 0 || (z != NULL && isfinite(DatumGetFloat8(*z))))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(z == NULL ? "monetary_value must not be NULL where frequency is above 0" :
					"monetary_value must be finite"),
			 errdetail("The row has frequency %.15g, recency %.15g, age %.15g, monetary value %s.",
					   x, t_x, age, z == NULL ? "NULL" :
					   DatumGetCString(DirectFunctionCall1(float8out, *z))),
			 errhint("Give the mean spend of the repeat purchases, or write 'none' for the spend model.")));
}

bool
clv_summary_argument(FunctionCallInfo fcinfo, int arg, const PurchaseModel *model, bool money,
					 ClvCustomer *customer)
{
	if (PG_ARGISNULL(arg) || PG_ARGISNULL(arg + 1) || PG_ARGISNULL(arg + 2))
		return false;
	customer->x = PG_GETARG_FLOAT8(arg) + 0.0;
	customer->t_x = PG_GETARG_FLOAT8(arg + 1) + 0.0;
	customer->age = PG_GETARG_FLOAT8(arg + 2) + 0.0;
	customer->spend_x = 0;
	customer->z = 0;
	customer->own = get_float8_nan();
	clv_customer_check(model, customer->x, customer->t_x, customer->age);
	if (!money || PG_ARGISNULL(arg + 3))
		return true;
	customer->z = customer->own = PG_GETARG_FLOAT8(arg + 3);
	customer->spend_x = customer->x;
	if (!isfinite(customer->z))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("monetary_value must be finite, not %g", customer->z)));
	return true;
}
