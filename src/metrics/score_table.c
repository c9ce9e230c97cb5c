/*
 * score_table.c
 *	  The score_table value: reading, writing, adding up, and its SQL-callable
 *	  input and output.
 *
 * The form and the promises are in score_table.h.
 */
#include "metrics/score_table.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "value/byte_writer.h"

#define TABLE_VERSION	1
#define ENTRY_MAX		(sizeof(double) + 2 * VARINT_MAX_BYTES)

void
score_nan_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("score must not be NaN"),
			 errhint("A NULL score is left out.")));
}

/* ---------- reading ---------- */

/* The next score; false at the end, and once something was wrong. */
static bool
score_table_read_tally(ScoreReader *reader, RankTally *tally)
{
	ByteReader *bytes = &reader->bytes;
	bool		first = bytes->at == reader->start;

	if (bytes->at == bytes->end)
		return false;
	tally->score = reader_double(bytes, "score");
	/* written so that NaN fails */
	if (unlikely(!(first || tally->score > reader->last)))
		reader_fail(bytes, isnan(tally->score) ? "score" : "order of scores");
	reader_require(bytes, !isnan(tally->score), "score");
	tally->positives = (int64) reader_uint(bytes, RANK_ROWS_MAX, "number of rows");
	tally->negatives = (int64) reader_uint(bytes, RANK_ROWS_MAX, "number of rows");
	if (unlikely(tally->positives + tally->negatives == 0))
		reader_fail(bytes, "number of rows");
	reader->last = tally->score;
	return bytes->error == NULL;
}

static void
rewind_reader(void *arg)
{
	ScoreReader *reader = arg;

	reader->bytes.at = reader->start;
}

static int
read_block(void *arg, RankTally *block)
{
	int			n = 0;

	CHECK_FOR_INTERRUPTS();
	while (n < RANK_BLOCK && score_table_read_tally(arg, &block[n]))
		n++;
	return n;
}

/* Opens bytes and reads them once, for the source's totals; NULL, or what is wrong. */
static const char *
open_reader(ScoreReader *reader, const char *data, Size len, RankSource *source)
{
	RankTally	block[RANK_BLOCK];
	int			n;

	memset(reader, 0, sizeof(ScoreReader));
	memset(source, 0, sizeof(RankSource));
	(void) reader_begin(&reader->bytes, data, len, TABLE_VERSION, 0);
	reader->start = reader->bytes.at;
	source->arg = reader;
	source->rewind = rewind_reader;
	source->read = read_block;
	while ((n = read_block(reader, block)) > 0)
	{
		if (reader->scores == 0)
			source->lowest = block[0].score;
		source->highest = block[n - 1].score;
		reader->scores += n;
		for (int i = 0; i < n; i++)
		{
			source->positives += block[i].positives;
			source->negatives += block[i].negatives;
			if (source->positives + source->negatives > RANK_ROWS_MAX)
				return "number of rows";
		}
	}
	reader_require(&reader->bytes, reader->scores > 0, "number of scores");
	return reader->bytes.error;
}

const char *
score_table_check(const char *data, Size len)
{
	ScoreReader reader;
	RankSource	source;

	return open_reader(&reader, data, len, &source);
}

RankSource
score_table_source(const ScoreTable *value, ScoreReader *reader)
{
	RankSource	source;

	reader->bytes.error = open_reader(reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), &source);
	if (reader->bytes.error != NULL)
		reader_corrupt(&reader->bytes, "score_table");
	return source;
}

double
score_table_load(const ScoreTable *value)
{
	ScoreReader reader;
	RankSource	source = score_table_source(value, &reader);

	return (double) (source.positives + source.negatives) / RANK_ROWS_MAX;
}

/* ---------- writing ---------- */

static void
append_tally(StringInfo buf, const RankTally *tally)
{
	if (unlikely(buf->len > MaxAllocSize - ENTRY_MAX - 1))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different scores for a score_table"),
				 errhint("Round the scores, or make several tables of groups of rows.")));
	writer_double(buf, tally->score);
	writer_uint(buf, tally->positives);
	writer_uint(buf, tally->negatives);
}

ScoreTable *
score_table_pack(const RankSource *source)
{
	StringInfoData buf;
	RankTally	block[RANK_BLOCK];
	int			n;

	writer_begin(&buf, 1024, TABLE_VERSION, 0);
	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
			append_tally(&buf, &block[i]);
	return writer_finish(&buf);
}

ScoreTable *
score_table_merge(const ScoreTable *a, const ScoreTable *b)
{
	ScoreReader readers[2];
	RankSource	sources[2];
	RankTally	tallies[2];
	bool		has[2];
	StringInfoData buf;

	sources[0] = score_table_source(a, &readers[0]);
	sources[1] = score_table_source(b, &readers[1]);
	if (sources[0].positives + sources[0].negatives + sources[1].positives +
		sources[1].negatives > RANK_ROWS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many rows in a score_table")));
	writer_begin(&buf, 1024, TABLE_VERSION, 0);
	for (int i = 0; i < 2; i++)
	{
		rewind_reader(&readers[i]);
		has[i] = score_table_read_tally(&readers[i], &tallies[i]);
	}
	for (uint64 n = 0; has[0] || has[1]; n++)
	{
		bool		take[2] = {has[0] && (!has[1] || tallies[0].score <= tallies[1].score),
		has[1] && (!has[0] || tallies[1].score <= tallies[0].score)};
		RankTally	sum = tallies[take[0] ? 0 : 1];

		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (take[0] && take[1])
		{
			sum.positives += tallies[1].positives;
			sum.negatives += tallies[1].negatives;
		}
		append_tally(&buf, &sum);
		for (int i = 0; i < 2; i++)
			if (take[i])
				has[i] = score_table_read_tally(&readers[i], &tallies[i]);
	}
	return writer_finish(&buf);
}

/* ---------- the type, jsonb ---------- */

VALUE_TYPE_ADDS(score_table, .maker = "score_table()", .check = score_table_check,
				.add = score_table_merge, .load = score_table_load)

PG_FUNCTION_INFO_V1(score_table_to_jsonb);
Datum
score_table_to_jsonb(PG_FUNCTION_ARGS)
{
	ScoreReader reader;
	RankSource	source = score_table_source(PG_GETARG_SCORE_TABLE(0), &reader);
	StringInfoData buf;
	RankTally	tally;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"n\":" INT64_FORMAT ",\"positives\":" INT64_FORMAT ",\"scores\":[",
					 source.positives + source.negatives, source.positives);
	rewind_reader(&reader);
	for (int64 i = 0; score_table_read_tally(&reader, &tally); i++)
	{
		char		text[DOUBLE_SHORTEST_DECIMAL_LEN];
		const char *quote = isinf(tally.score) ? "\"" : "";

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		double_to_shortest_decimal_buf(tally.score, text);
		appendStringInfo(&buf, "%s{\"score\":%s%s%s,\"n\":" INT64_FORMAT ",\"positives\":" INT64_FORMAT "}",
						 i == 0 ? "" : ",", quote, text, quote,
						 tally.positives + tally.negatives, tally.positives);
	}
	appendStringInfoString(&buf, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
