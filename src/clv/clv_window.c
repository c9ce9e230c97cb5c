/*
 * clv_window.c
 *	  SQL-callable: clv() OVER (PARTITION BY ...): fits a model to the customers
 *	  of the partition, and says what each of them is worth.
 *
 * At the first row of a partition all its rows are read into a sample and
 * fitted; the predictor then stands in the partition's memory.
 *
 * Promises: the same numbers as clv(clv_model(...), ...) over the same rows; a
 * partition that cannot be fitted gives NULLs and one NOTICE with the reason.
 * Never: depends on the frame or the order of the window.
 */
#include "clv/clv_customer.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "clv/clv_memo.h"
#include "clv/clv_sample.h"
#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "fmgr/window_arguments.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "windowapi.h"

/* How the two forms are called: where their arguments stand. */
typedef struct WindowForm
{
	bool		history;
	int			horizon;		/* then discount_rate, margin, model, spend_model, unit, step */
} WindowForm;

#define AS_OF_ARG	1

typedef struct WindowFit
{
	bool		tried;
	ClvSpec		spec;
	ClvPredictor *predictor;	/* NULL: the partition cannot be fitted */
	ClvTerms	terms;
	DateADT		as_of;
	ClvMemo		memo;			/* discounted purchases */
} WindowFit;

/* ---------- arguments that belong to the partition ---------- */

/* From form->horizon on. */
static const char *const parameters[] = {
	"horizon", "discount_rate", "margin", "model", "spend_model", "unit", "step"
};

static void
watch_parameters(FunctionCallInfo fcinfo, WindowObject winobj, const WindowForm *form,
				 WatchedArguments *list)
{
	list->hint = "Partition by it too, or use clv_model() and clv(model, ...).";
	list->n = 0;
	if (form->history)
		window_watch(fcinfo, winobj, list, AS_OF_ARG, "as_of");
	for (int i = 0; i < lengthof(parameters); i++)
		window_watch(fcinfo, winobj, list, form->horizon + i, parameters[i]);
}

static ClvSpec
read_spec(WindowObject winobj, const WindowForm *form)
{
	ClvSpec		spec;
	int			arg = form->horizon + 3;

	memset(&spec, 0, sizeof(spec));
	spec.purchase = clv_purchase_parse(DatumGetTextPP(window_required_argument(winobj, arg, "model")))->kind;
	spec.spend = clv_spend_parse(DatumGetTextPP(window_required_argument(winobj, arg + 1, "spend_model")));
	spec.unit = time_unit_parse(DatumGetTextPP(window_required_argument(winobj, arg + 2, "unit")));
	return spec;
}

static void
read_terms(WindowObject winobj, const WindowForm *form, WindowFit *fit)
{
	ClvPredictor *p = fit->predictor;
	int			arg = form->horizon;
	Datum		interval;

	/* each is used before the next is read, which is over it */
	interval = window_required_argument(winobj, arg, "horizon");
	fit->terms.horizon = clv_interval_units(DatumGetIntervalP(interval), p->model.unit, "horizon");
	fit->terms.rate = DatumGetFloat8(window_required_argument(winobj, arg + 1, "discount_rate"));
	fit->terms.margin = DatumGetFloat8(window_required_argument(winobj, arg + 2, "margin"));
	interval = window_required_argument(winobj, arg + 6, "step");
	fit->terms.step = clv_interval_units(DatumGetIntervalP(interval), p->model.unit, "step");
	clv_terms_check(p, &fit->terms);
}

/* ---------- customers ---------- */

/* The latest day of all histories, also of money alone. */
static DateADT
latest_day(WindowObject winobj, int64 rows, MemoryContext scratch)
{
	DateADT		latest = DATEVAL_NOBEGIN;

	for (int64 i = 0; i < rows; i++)
	{
		bool		isnull;
		Datum		value = window_row_argument(winobj, 0, i, &isnull);
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		if (isnull)
			continue;
		MemoryContextReset(scratch);
		old = MemoryContextSwitchTo(scratch);
		latest = Max(latest, history_latest(DatumGetHistoryPP(value)));
		MemoryContextSwitchTo(old);
	}
	return latest;
}

static bool
summary_customer(const PurchaseModel *model, bool spend, const Datum *values, const bool *nulls,
				 ClvCustomer *customer)
{
	if (nulls[0] || nulls[1] || nulls[2])
		return false;
	customer->x = DatumGetFloat8(values[0]) + 0.0;
	customer->t_x = DatumGetFloat8(values[1]) + 0.0;
	customer->age = DatumGetFloat8(values[2]) + 0.0;
	clv_customer_check(model, customer->x, customer->t_x, customer->age);
	if (spend)
		clv_monetary_check(customer->x, customer->t_x, customer->age,
						   nulls[3] ? NULL : &values[3]);
	customer->spend_x = nulls[3] ? 0 : customer->x;
	customer->z = nulls[3] ? 0 : DatumGetFloat8(values[3]);
	customer->own = nulls[3] ? get_float8_nan() : customer->z;
	return true;
}

/* False where the row has no customer to speak of. */
static bool
row_customer(WindowObject winobj, const WindowForm *form, const ClvSpec *spec, DateADT as_of,
			 int64 row, ClvCustomer *customer, Seen *seen)
{
	const PurchaseModel *model = purchase_model(spec->purchase);
	Datum		values[4] = {0};
	bool		nulls[4];

	for (int i = 0; i < (form->history ? 1 : 4); i++)
		values[i] = row < 0 ? WinGetFuncArgCurrent(winobj, i, &nulls[i]) :
			window_row_argument(winobj, i, row, &nulls[i]);
	if (!form->history)
		return summary_customer(model, spec->spend, values, nulls, customer);
	return !nulls[0] &&
		clv_customer_from_history(model, (TimeUnit) spec->unit, DatumGetHistoryPP(values[0]), as_of,
								  customer, seen);
}

/* ---------- the fit ---------- */

static DateADT
partition_as_of(FunctionCallInfo fcinfo, WindowObject winobj, const PurchaseModel *model,
				int64 rows, MemoryContext scratch)
{
	AsOf		as_of = window_as_of(fcinfo, winobj, AS_OF_ARG, 0, InvalidOid, AS_OF_HINT_COMPLETE);

	if (as_of.kind != AS_OF_NONE)
		return as_of_last_day(&as_of, NULL);
	if (model->discrete)
		clv_as_of_missing_error(model);
	return latest_day(winobj, rows, scratch);
}

static ClvSample *
clv_window_read_partition(WindowObject winobj, const WindowForm *form, const ClvSpec *spec, DateADT as_of,
						  int64 rows, const WatchedArguments *list, MemoryContext scratch)
{
	ClvSample  *sample = clv_sample_create(spec);
	Seen		seen = {0};

	for (int64 i = 0; i < rows; i++)
	{
		ClvCustomer customer;
		ClvSample  *larger;
		MemoryContext old;
		bool		known;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		old = MemoryContextSwitchTo(scratch);
		window_check_watched(winobj, list, i);
		known = row_customer(winobj, form, spec, as_of, i, &customer, &seen);
		MemoryContextSwitchTo(old);
		if (!known)
		{
			sample->skipped++;
			continue;
		}
		larger = clv_sample_add(sample, customer.x, customer.t_x, customer.age,
								customer.spend_x, customer.z);
		if (larger != sample)
			pfree(sample);
		sample = larger;
	}
	sample->seen = seen;
	return sample;
}

/* Why the customers of a partition have no value; NULL if they have. */
static const char *
failure_of(const ClvModel *model, bool spend)
{
	const char *reason = clv_fit_reason(&model->fit, model->purchase->param_names);

	if (reason != NULL || !spend)
		return reason;
	if (!model->has_spend)
		return "no amounts are known";
	reason = clv_fit_reason(&model->spend, clv_spend_model_of(model)->param_names);
	return reason == NULL ? NULL : psprintf("spend: %s", reason);
}

static void
clv_window_fit_partition(FunctionCallInfo fcinfo, WindowObject winobj, const WindowForm *form, WindowFit *fit)
{
	int64		rows = WinGetPartitionRowCount(winobj);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "clv row",
												  ALLOCSET_SMALL_SIZES);
	WatchedArguments list;
	ClvSample  *sample;
	ClvModel	model;
	const char *failure;

	fit->tried = true;
	fit->spec = read_spec(winobj, form);
	watch_parameters(fcinfo, winobj, form, &list);
	if (form->history)
		fit->as_of = partition_as_of(fcinfo, winobj, purchase_model(fit->spec.purchase), rows,
									 scratch);
	sample = clv_window_read_partition(winobj, form, &fit->spec, fit->as_of, rows, &list, scratch);
	MemoryContextDelete(scratch);
	clv_sample_fit(sample, &model);
	/* customers without a value have NULL in their row */
	sample->seen.without = 0;
	seen_tell(fcinfo, &sample->seen, form->history ? &fit->as_of : NULL, 0);
	pfree(sample);
	failure = failure_of(&model, fit->spec.spend);
	if (failure != NULL)
	{
		ereport(NOTICE,
				(errmsg("clv is NULL for a partition of " INT64_FORMAT " customers: %s",
						model.customers, failure),
				 errhint("Partition by fewer columns, or use clv_model() and clv(model, ...), which predict with a warning; where all spend alike, write 'none' for the spend model.")));
		return;
	}
	/* as long as the partition lasts */
	fit->predictor = clv_predictor_of(&model);
	clv_memo_init(&fit->memo, CurrentMemoryContext);
	read_terms(winobj, form, fit);
}

static Datum
window_value(FunctionCallInfo fcinfo, const WindowForm *form)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	WindowFit  *fit = WinGetPartitionLocalMemory(winobj, sizeof(WindowFit));
	ClvCustomer customer;
	MemoEntry  *entry;
	bool		known;
	double		value;

	if (!fit->tried)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(fit));

		clv_window_fit_partition(fcinfo, winobj, form, fit);
		MemoryContextSwitchTo(old);
	}
	if (fit->predictor == NULL ||
		!row_customer(winobj, form, &fit->spec, fit->as_of, -1, &customer, NULL))
		PG_RETURN_NULL();
	entry = clv_memo_find(&fit->memo, &customer, &known);
	if (!known)
		clv_memo_put(&fit->memo, entry, &customer,
					 clv_discounted_purchases(fit->predictor, &customer, &fit->terms));
	value = entry->value * (clv_expected_spend(fit->predictor, &customer) * fit->terms.margin);
	if (!isfinite(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

PG_FUNCTION_INFO_V1(clv_window_history);
Datum
clv_window_history(PG_FUNCTION_ARGS)
{
	static const WindowForm form = {true, 2};

	return window_value(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(clv_window_summary);
Datum
clv_window_summary(PG_FUNCTION_ARGS)
{
	static const WindowForm form = {false, 4};

	return window_value(fcinfo, &form);
}
