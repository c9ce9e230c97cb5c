/*
 * score_rows.c
 *	  SQL-callable: what a score_table says, as rows.
 *
 * Promises: NULL where a number is undefined; rows in a fixed order; no rows of
 * a NULL table.
 * Never: splits equal scores but where it says so.
 */
#include "metrics/score_table.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/wilson.h"
#include "models/metrics/calibration.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define COLUMNS_MAX		14

/* Without thresholds: one for each score, or so many where there are more than so many. */
#define CONFUSION_SCORES	1000
#define CONFUSION_SHARES	100

/* ---------- arguments ---------- */

/* False where the table is NULL; begins the set of rows. */
static bool
open_table(FunctionCallInfo fcinfo, ScoreReader *reader, RankSource *source)
{
	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return false;
	*source = score_table_source(PG_GETARG_SCORE_TABLE(0), reader);
	return true;
}

static int
get_bins(FunctionCallInfo fcinfo, int arg)
{
	int			bins = PG_ARGISNULL(arg) ? 10 : PG_GETARG_INT32(arg);

	if (bins < 1 || bins > RANK_BINS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be from 1 to %d, not %d", RANK_BINS_MAX, bins)));
	return bins;
}

static CalibrationBy
get_by(FunctionCallInfo fcinfo, int arg)
{
	static const char *const words[] = {"width", "quantile", NULL};
	text	   *word;
	int			by;

	if (PG_ARGISNULL(arg))
		return CALIBRATION_WIDTH;
	word = PG_GETARG_TEXT_PP(arg);
	by = retention_word_index(VARDATA_ANY(word), VARSIZE_ANY_EXHDR(word), words);
	if (by < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown kind of bins \"%s\"", text_to_cstring(word)),
				 errhint("Write width or quantile.")));
	return by == 0 ? CALIBRATION_WIDTH : CALIBRATION_QUANTILE;
}

/* ---------- a row ---------- */

typedef struct Row
{
	Datum		values[COLUMNS_MAX];
	bool		nulls[COLUMNS_MAX];
	int			n;
} Row;

static void
add_number(Row *row, double number)
{
	set_float8(row->values, row->nulls, row->n++, number);
}

static void
add_count(Row *row, int64 count)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = Int64GetDatum(count);
}

static void
add_integer(Row *row, int32 integer)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = Int32GetDatum(integer);
}

static void
score_rows_put_row(FunctionCallInfo fcinfo, Row *row)
{
	retention_put_row(fcinfo, row->values, row->nulls);
}

/* ---------- one row ---------- */

PG_FUNCTION_INFO_V1(score_auc_interval);
Datum
score_auc_interval(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	Row			row = {.n = 0};
	double		confidence = argument_confidence(fcinfo, 1);
	double		auc;
	double		se;
	double		reach;

	if (!open_table(fcinfo, &reader, &source))
		return (Datum) 0;
	auc = rank_auc(&source);
	se = rank_auc_se(&source);
	/* no spread was seen: that says nothing of how far the area may be off */
	reach = se > 0 ? normal_two_sided_z(confidence) * se : get_float8_nan();
	add_number(&row, auc);
	add_number(&row, se);
	add_number(&row, isnan(reach) ? reach : Max(auc - reach, 0));
	add_number(&row, isnan(reach) ? reach : Min(auc + reach, 1));
	add_count(&row, source.positives);
	add_count(&row, source.negatives);
	score_rows_put_row(fcinfo, &row);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(score_brier_decomposition);
Datum
score_brier_decomposition(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	Row			row = {.n = 0};
	Brier		brier;

	if (!open_table(fcinfo, &reader, &source))
		return (Datum) 0;
	brier = calibration_brier(&source);
	add_number(&row, brier.brier);
	add_number(&row, brier.reliability);
	add_number(&row, brier.resolution);
	add_number(&row, brier.uncertainty);
	add_number(&row, brier.skill);
	score_rows_put_row(fcinfo, &row);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(score_calibration_fit);
Datum
score_calibration_fit(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	Row			row = {.n = 0};
	int			bins = get_bins(fcinfo, 1);
	CalibrationBin filled[RANK_BINS_MAX];
	CalibrationFit fit;
	double		error = get_float8_nan();

	if (!open_table(fcinfo, &reader, &source))
		return (Datum) 0;
	calibration_fit(&source, &fit);
	if (calibration_bins(&source, CALIBRATION_WIDTH, bins, filled))
		error = calibration_error(filled, bins, source.positives + source.negatives);
	add_number(&row, fit.intercept);
	add_number(&row, fit.slope);
	add_number(&row, error);
	add_number(&row, fit.intercept_se);
	add_number(&row, fit.slope_se);
	score_rows_put_row(fcinfo, &row);
	return (Datum) 0;
}

/* ---------- bins ---------- */

PG_FUNCTION_INFO_V1(score_calibration_rows);
Datum
score_calibration_rows(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	int			bins = get_bins(fcinfo, 1);
	CalibrationBy by = get_by(fcinfo, 2);
	double		z = normal_two_sided_z(argument_confidence(fcinfo, 3));
	CalibrationBin filled[RANK_BINS_MAX];

	if (!open_table(fcinfo, &reader, &source) || !calibration_bins(&source, by, bins, filled))
		return (Datum) 0;
	for (int i = 0; i < bins; i++)
	{
		CalibrationBin *bin = &filled[i];
		Row			row = {.n = 0};

		if (bin->n == 0 && by == CALIBRATION_QUANTILE)
			continue;
		add_integer(&row, i + 1);
		add_count(&row, bin->n);
		add_count(&row, bin->positives);
		if (bin->n > 0)
		{
			Limits		limits = wilson_limits(bin->positives, bin->n, z);

			add_number(&row, bin->score_min);
			add_number(&row, bin->score_max);
			add_number(&row, bin->mean_score);
			add_number(&row, (double) bin->positives / bin->n);
			add_number(&row, limits.low);
			add_number(&row, limits.high);
		}
		else
			while (row.n < 9)
				add_number(&row, get_float8_nan());
		score_rows_put_row(fcinfo, &row);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(score_lift_rows);
Datum
score_lift_rows(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	int			bins = get_bins(fcinfo, 1);
	RankLift   *lifts;

	if (!open_table(fcinfo, &reader, &source))
		return (Datum) 0;
	lifts = palloc(sizeof(RankLift) * bins);
	bins = rank_lift(&source, bins, lifts);
	for (int i = 0; i < bins; i++)
	{
		const RankLift *lift = &lifts[i];
		Row			row = {.n = 0};

		add_integer(&row, i + 1);
		add_count(&row, lift->n);
		add_number(&row, lift->positives);
		add_number(&row, lift->score_max);
		add_number(&row, lift->score_min);
		add_number(&row, lift->mean_score);
		add_number(&row, lift->rate);
		add_number(&row, lift->lift);
		add_count(&row, lift->cum_n);
		add_number(&row, lift->cum_positives);
		add_number(&row, lift->gain);
		add_number(&row, lift->cum_lift);
		add_number(&row, lift->ks);
		score_rows_put_row(fcinfo, &row);
	}
	return (Datum) 0;
}

/* ---------- thresholds ---------- */

/* A distinct score, and who is called where it is the threshold. */
typedef struct Cut
{
	double		score;
	int64		tp;
	int64		fp;
} Cut;

/* All of them, ascending. */
static Cut *
score_rows_read_cuts(const RankSource *source, int64 scores)
{
	Cut		   *cuts = palloc_extended(sizeof(Cut) * scores, MCXT_ALLOC_HUGE);
	int64		tp = source->positives;
	int64		fp = source->negatives;
	RankTally	block[RANK_BLOCK];
	int64		at = 0;
	int			n;

	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
		{
			cuts[at].score = block[i].score;
			cuts[at].tp = tp;
			cuts[at++].fp = fp;
			tp -= block[i].positives;
			fp -= block[i].negatives;
		}
	Assert(at == scores);
	return cuts;
}

static void
put_confusion(FunctionCallInfo fcinfo, const RankSource *source, double threshold,
			  int64 tp, int64 fp)
{
	RankConfusion at = rank_confusion(source->positives, source->negatives, tp, fp);
	Row			row = {.n = 0};

	add_number(&row, threshold);
	add_count(&row, at.tp);
	add_count(&row, at.fp);
	add_count(&row, at.fn);
	add_count(&row, at.tn);
	add_number(&row, at.accuracy);
	add_number(&row, at.precision);
	add_number(&row, at.recall);
	add_number(&row, at.specificity);
	add_number(&row, at.f1);
	add_number(&row, at.mcc);
	score_rows_put_row(fcinfo, &row);
}

static void
confusion_at(FunctionCallInfo fcinfo, const RankSource *source, const Cut *cuts, int64 scores,
			 double threshold)
{
	int64		low = 0;
	int64		high = scores;

	if (isnan(threshold))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("threshold must not be NaN")));
	/* the first score that is called */
	while (low < high)
	{
		int64		middle = low + (high - low) / 2;

		if (cuts[middle].score >= threshold)
			high = middle;
		else
			low = middle + 1;
	}
	if (low < scores)
		put_confusion(fcinfo, source, threshold, cuts[low].tp, cuts[low].fp);
	else
		put_confusion(fcinfo, source, threshold, 0, 0);
}

/* The highest score that calls a hundredth of all rows at least, two of them, ... */
static void
confusion_by_share(FunctionCallInfo fcinfo, const RankSource *source, const Cut *cuts, int64 scores)
{
	double		rows = (double) (source->positives + source->negatives);
	int64		at = scores - 1;
	int64		last = -1;

	for (int i = 1; i <= CONFUSION_SHARES; i++)
	{
		while (at > 0 && (double) (cuts[at].tp + cuts[at].fp) * CONFUSION_SHARES < rows * i)
			at--;
		if (at != last)
			put_confusion(fcinfo, source, cuts[at].score, cuts[at].tp, cuts[at].fp);
		last = at;
	}
}

PG_FUNCTION_INFO_V1(score_confusion_rows);
Datum
score_confusion_rows(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	Cut		   *cuts;

	if (!open_table(fcinfo, &reader, &source))
		return (Datum) 0;
	cuts = score_rows_read_cuts(&source, reader.scores);
	if (!PG_ARGISNULL(1))
	{
		Datum	   *thresholds;
		bool	   *nulls;
		int			n;

		deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
						  TYPALIGN_DOUBLE, &thresholds, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (nulls[i])
				null_argument_error("threshold", NULL);
			confusion_at(fcinfo, &source, cuts, reader.scores, DatumGetFloat8(thresholds[i]));
		}
	}
	else if (reader.scores > CONFUSION_SCORES)
		confusion_by_share(fcinfo, &source, cuts, reader.scores);
	else
		for (int64 i = reader.scores - 1; i >= 0; i--)
			put_confusion(fcinfo, &source, cuts[i].score, cuts[i].tp, cuts[i].fp);
	return (Datum) 0;
}

static void
put_roc(FunctionCallInfo fcinfo, const RankSource *source, double threshold, int64 tp, int64 fp)
{
	RankConfusion at = rank_confusion(source->positives, source->negatives, tp, fp);
	Row			row = {.n = 0};

	add_number(&row, threshold);
	add_count(&row, tp);
	add_count(&row, fp);
	add_number(&row, at.recall);
	add_number(&row, source->negatives > 0 ? (double) fp / source->negatives : get_float8_nan());
	add_number(&row, at.precision);
	/* exact in whole numbers, so that equal ones are equal */
	add_number(&row, rank_youden(source->positives, source->negatives, tp, fp));
	score_rows_put_row(fcinfo, &row);
}

PG_FUNCTION_INFO_V1(score_roc_rows);
Datum
score_roc_rows(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source;
	Cut		   *cuts;

	if (!open_table(fcinfo, &reader, &source))
		return (Datum) 0;
	cuts = score_rows_read_cuts(&source, reader.scores);
	if (source.highest < get_float8_infinity())
		put_roc(fcinfo, &source, get_float8_infinity(), 0, 0);
	for (int64 i = reader.scores - 1; i >= 0; i--)
		put_roc(fcinfo, &source, cuts[i].score, cuts[i].tp, cuts[i].fp);
	return (Datum) 0;
}
