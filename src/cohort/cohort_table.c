/*
 * cohort_table.c
 *	  The cohort_table value: its flat form, a reader, a writer and a merge.
 *
 * The form and the promises are in cohort_table.h.
 */
#include "cohort/cohort_table.h"

#include "common/int.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "value/byte_writer.h"

#define FLAG_FILLED		0x01	/* has parameters; else the table is empty */
#define FLAG_ZONED		0x02
#define FLAG_ROLLING	0x04
#define FLAG_DATES		0x08	/* all times are dates */
#define FLAG_EARLY		0x10	/* windows have an early part */
#define FLAGS_ALL		0x1f

/* Sums over groups must not overflow: far more customers than can be counted. */
#define MEMBERS_MAX		(PG_INT64_MAX / 4)

static const int64 join_units[] = {USECS_PER_DAY, USECS_PER_SEC, 1000, 1};

int64
cohort_join_unit(int64 join)
{
	int			i = 0;

	while (join % join_units[i] != 0)
		i++;
	return join_units[i];
}

void
tally_push(Tally *tally, int32 k, int64 count)
{
	Assert(count > 0);
	Assert(tally->n == 0 || k > tally->k[tally->n - 1]);
	if (tally->n == tally->capacity)
	{
		int			capacity = Max(16, tally->capacity * 2);

		if (tally->capacity == 0)
		{
			tally->k = palloc(sizeof(int32) * capacity);
			tally->count = palloc(sizeof(int64) * capacity);
		}
		else
		{
			tally->k = repalloc_huge(tally->k, sizeof(int32) * (Size) capacity);
			tally->count = repalloc_huge(tally->count, sizeof(int64) * (Size) capacity);
		}
		tally->capacity = capacity;
	}
	tally->k[tally->n] = k;
	tally->count[tally->n++] = count;
}

/* ---------- reader ---------- */

static const char cohort_table_name[] = "cohort_table";

static void
read_params(CohortReader *reader, uint8 flags)
{
	ByteReader *bytes = &reader->bytes;
	CohortParams *params = &reader->params;
	char	   *zone;
	pg_tz	   *tz;

	params->zoned = (flags & FLAG_ZONED) != 0;
	params->rolling = (flags & FLAG_ROLLING) != 0;
	params->dates = (flags & FLAG_DATES) != 0;
	reader_require(bytes, !params->dates || !params->zoned, "flags");
	reader_require(bytes, params->rolling || !(flags & FLAG_EARLY), "flags");
	params->spec.unit = (uint8) reader_uint(bytes, PERIOD_UNIT_LAST, "period");
	params->spec.week_start = (uint8) reader_uint(bytes, params->spec.unit == PERIOD_WEEK ? 6 : 0,
												  "start of week");
	zone = reader_text(bytes, params->zoned ? 1 : 0, TZ_STRLEN_MAX, false, "time zone");
	strlcpy(params->zone, zone, sizeof(params->zone));
	if (bytes->error == NULL && zone[0] != '\0')
	{
		tz = zone_find(params->zone, strlen(params->zone));
		reader_require(bytes, tz != NULL && strcmp(pg_get_timezone_name(tz), params->zone) == 0,
					   "time zone");
	}
	if (params->rolling)
	{
		params->months = (int32) reader_uint(bytes, PG_INT32_MAX, "window");
		params->days = (int32) reader_uint(bytes, PG_INT32_MAX, "window");
		params->micros = (int64) reader_uint(bytes, PG_INT64_MAX, "window");
		reader_require(bytes, rolling_width_valid(params->months, params->days, params->micros),
					   "window");
		if (bytes->error == NULL)
			reader->width = rolling_width(params->zoned, params->months, params->days,
										  params->micros);
		if (flags & FLAG_EARLY)
		{
			params->early = (int64) reader_uint(bytes, PG_INT64_MAX, "window");
			reader_require(bytes, params->early > 0 && params->early < reader->width.shortest, "window");
		}
	}
}

static void
read_entries(CohortReader *reader)
{
	ByteReader *bytes = &reader->bytes;
	int64		period = 0;

	reader->nentries = (int) reader_count(bytes, PG_INT32_MAX, 4, "number of lifecycle periods");
	reader->entries = palloc(sizeof(LifecycleEntry) * (reader->nentries + 1));
	for (int i = 0; i < reader->nentries && bytes->error == NULL; i++)
	{
		LifecycleEntry *entry = &reader->entries[i];
		int64		previous = period;

		period = reader_step(bytes, period, reader->first_period, reader->last_period,
							 "lifecycle period");
		reader_require(bytes, i == 0 || period > previous, "lifecycle period");
		entry->period = (int32) period;
		entry->active = (int64) reader_uint(bytes, MEMBERS_MAX, "active customers");
		reader_require(bytes, entry->active > 0, "active customers");
		entry->fresh = (int64) reader_uint(bytes, entry->active, "new customers");
		entry->returning = (int64) reader_uint(bytes, entry->active - entry->fresh,
											   "returning customers");
		if (entry->returning > 0)
			reader_require(bytes, i > 0 && previous == period - 1 &&
						   entry->returning <= reader->entries[i - 1].active,
						   "returning customers");
	}
	if (bytes->error != NULL)
		reader->nentries = 0;
}

/* Up to what differs from group to group. */
static void
read_head(CohortReader *reader, const char *data, Size len)
{
	uint8		flags;

	memset(reader, 0, sizeof(CohortReader));
	flags = reader_begin(&reader->bytes, data, len, COHORT_TABLE_VERSION, FLAGS_ALL);
	if ((flags & FLAG_FILLED) == 0)
	{
		reader->empty = true;
		reader_require(&reader->bytes, flags == 0 && reader_left(&reader->bytes) == 0, "flags");
	}
	else
		read_params(reader, flags);
}

bool
cohort_reader_init(CohortReader *reader, const char *data, Size len)
{
	ByteReader *bytes = &reader->bytes;
	Calendar	cal = {0};		/* only its unit matters here */

	read_head(reader, data, len);
	if (reader->empty || bytes->error != NULL)
		return bytes->error == NULL;
	cal.spec = reader->params.spec;
	reader->first_period = calendar_period_of_wall(&cal, MIN_TIMESTAMP);
	reader->last_period = calendar_period_of_wall(&cal, END_TIMESTAMP - 1);
	reader->latest = reader_step(bytes, 0, MIN_TIMESTAMP, END_TIMESTAMP - 1, "latest time");
	reader_require(bytes, !reader->params.dates || reader->latest % USECS_PER_DAY == 0, "latest time");
	read_entries(reader);
	reader->join_unit = 1;
	if (reader->params.rolling)
	{
		reader->join_unit = join_units[reader_uint(bytes, lengthof(join_units) - 1,
												   "unit of joining times")];
		reader_require(bytes, !reader->params.dates || reader->join_unit == USECS_PER_DAY,
					   "unit of joining times");
	}
	/* a group is 3 bytes at least */
	reader->groups_left = reader_count(bytes, PG_INT64_MAX, 3, "number of cohorts");
	return bytes->error == NULL;
}

/*
 * A tally.  With "single", counts are not stored and are 1.  No count exceeds
 * the group's members, and with "distinct" neither does their sum.
 */
static bool
cohort_table_read_tally(CohortReader *reader, Tally *tally, int32 min_k, bool single, bool distinct)
{
	ByteReader *bytes = &reader->bytes;
	int64		members = reader->group.members;
	int64		max_k = reader->params.rolling ? PG_INT32_MAX / 2 :
	reader->last_period - (int64) reader->group.cohort;
	int64		k = (int64) min_k - 1;
	int64		sum = 0;
	int64		n = reader_count(bytes, PG_INT32_MAX, single ? 1 : 2, "number of windows");

	tally->n = 0;
	max_k = Min(max_k, PG_INT32_MAX);
	for (int64 i = 0; i < n; i++)
	{
		int64		count = 1;

		k += (int64) reader_uint(bytes, PG_INT32_MAX, "window number") + 1;
		if (unlikely(k > max_k))
			reader_fail(bytes, "window number");
		if (!single)
		{
			count = (int64) reader_uint(bytes, members, "customers in a window");
			sum += count;
			if (unlikely(count == 0 || (distinct && sum > members)))
				reader_fail(bytes, "customers in a window");
		}
		if (unlikely(bytes->error != NULL))
			return false;
		tally_push(tally, (int32) k, count);
	}
	return bytes->error == NULL;
}

/* What a single member's windows say about its last, its first return, its streak. */
static void
derive_single(CohortGroup *group)
{
	Tally	   *on = &group->on;
	int			first = on->n > 0 && on->k[0] == 0 ? 1 : 0;
	int			streak = 0;

	group->last.n = group->back.n = group->streak.n = group->first.n = 0;
	if (on->n > 0)
	{
		tally_push(&group->last, on->k[on->n - 1], 1);
		tally_push(&group->first, on->k[0], 1);
	}
	if (on->n > first)
		tally_push(&group->back, on->k[first], 1);
	while (first + streak < on->n && on->k[first + streak] == streak + 1)
		streak++;
	if (streak > 0)
		tally_push(&group->streak, streak, 1);
}

/* First activity: whoever is active has one, and in window 0 it is activity. */
static bool
read_first(CohortReader *reader)
{
	CohortGroup *group = &reader->group;
	Tally	   *first = &group->first;
	int64		in_0 = group->on.n > 0 && group->on.k[0] == 0 ? group->on.count[0] : 0;
	int64		sum = 0;

	if (group_all_begin(group))
	{
		first->n = 0;
		tally_push(first, 0, group->members);
		return true;
	}
	if (!cohort_table_read_tally(reader, first, 0, false, true))
		return false;
	for (int i = 0; i < first->n; i++)
		sum += first->count[i];
	for (int i = 0; i < group->last.n; i++)
		sum -= group->last.count[i];
	reader_require(&reader->bytes, sum == 0 &&
				   (first->n > 0 && first->k[0] == 0 ? first->count[0] : 0) == in_0,
				   "first activities");
	return reader->bytes.error == NULL;
}

/* The cohort, and with rolling windows the joining time, of the next group. */
static void
read_group_key(CohortReader *reader)
{
	ByteReader *bytes = &reader->bytes;
	CohortGroup *group = &reader->group;
	int64		unit = reader->join_unit;
	int64		cohort;
	int64		join = 0;

	cohort = reader_step(bytes, reader->started ? group->cohort : 0, reader->first_period,
						 reader->last_period, "cohort");
	if (reader->params.rolling)
		join = reader_step(bytes, reader->started ? group->join / unit : 0, MIN_TIMESTAMP / unit,
						   (END_TIMESTAMP - 1) / unit, "joining time") * unit;
	if (reader->started)
	{
		reader_require(bytes, cohort > group->cohort ||
					   (reader->params.rolling && cohort == group->cohort), "cohort");
		reader_require(bytes, cohort > group->cohort || join > group->join, "joining time");
	}
	group->cohort = (int32) cohort;
	group->join = join;
	reader->started = true;
}

bool
cohort_reader_next(CohortReader *reader)
{
	ByteReader *bytes = &reader->bytes;
	CohortGroup *group = &reader->group;

	if (reader->empty || reader->groups_left == 0)
	{
		(void) reader_end(bytes);
		return false;
	}
	CHECK_FOR_INTERRUPTS();
	reader->groups_left--;
	read_group_key(reader);
	group->members = (int64) reader_uint(bytes, MEMBERS_MAX, "size of a cohort");
	reader->members += group->members;
	reader_require(bytes, group->members > 0 && reader->members <= MEMBERS_MAX, "size of a cohort");
	if (bytes->error != NULL ||
		!cohort_table_read_tally(reader, &group->on, 0, group->members == 1, false))
		return false;
	if (group->members == 1)
	{
		derive_single(group);
		return true;
	}
	return cohort_table_read_tally(reader, &group->last, 0, false, true) &&
		cohort_table_read_tally(reader, &group->back, 1, false, true) &&
		cohort_table_read_tally(reader, &group->streak, 1, false, true) &&
		read_first(reader);
}

void
cohort_reader_open(CohortReader *reader, const CohortTable *table)
{
	if (!cohort_reader_init(reader, VARDATA_ANY(table), VARSIZE_ANY_EXHDR(table)))
		reader_corrupt(&reader->bytes, cohort_table_name);
}

bool
cohort_reader_group(CohortReader *reader)
{
	bool		found = cohort_reader_next(reader);

	if (unlikely(reader->bytes.error != NULL))
		reader_corrupt(&reader->bytes, cohort_table_name);
	return found;
}

/* ---------- writer ---------- */

static void
cohort_members_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("too many customers in a cohort_table")));
}

void
cohort_writer_init(CohortWriter *writer, const CohortParams *params, int64 latest,
				   int64 join_unit)
{
	memset(writer, 0, sizeof(CohortWriter));
	writer->params = *params;
	writer->latest = latest;
	writer->join_unit = join_unit;
	initStringInfo(&writer->entries);
	initStringInfo(&writer->groups);
}

void
cohort_writer_entry(CohortWriter *writer, const LifecycleEntry *entry)
{
	if (entry->active == 0)
		return;
	varint_append(&writer->entries, zigzag((int64) entry->period - writer->last_period));
	varint_append(&writer->entries, entry->active);
	varint_append(&writer->entries, entry->fresh);
	varint_append(&writer->entries, entry->returning);
	writer->last_period = entry->period;
	writer->nentries++;
}

static void
put_tally(StringInfo buf, const Tally *tally, int32 min_k, bool single)
{
	int32		k = min_k - 1;

	varint_append(buf, tally->n);
	for (int i = 0; i < tally->n; i++)
	{
		varint_append(buf, tally->k[i] - k - 1);
		k = tally->k[i];
		if (!single)
			varint_append(buf, tally->count[i]);
	}
}

void
cohort_writer_group(CohortWriter *writer, const CohortGroup *group)
{
	StringInfo	buf = &writer->groups;
	bool		single = group->members == 1;

	CHECK_FOR_INTERRUPTS();
	Assert(group->members > 0);
	varint_append(buf, zigzag((int64) group->cohort - writer->last_cohort));
	writer->last_cohort = group->cohort;
	if (writer->params.rolling)
	{
		int64		join = group->join / writer->join_unit;

		Assert(group->join % writer->join_unit == 0);
		varint_append(buf, zigzag(join - writer->last_join));
		writer->last_join = join;
	}
	varint_append(buf, group->members);
	put_tally(buf, &group->on, 0, single);
	if (!single)
	{
		put_tally(buf, &group->last, 0, false);
		put_tally(buf, &group->back, 1, false);
		put_tally(buf, &group->streak, 1, false);
		if (!group_all_begin(group))
			put_tally(buf, &group->first, 0, false);
	}
	writer->ngroups++;
	/* both are at most MEMBERS_MAX: no overflow */
	writer->members += group->members;
	if (unlikely(writer->members > MEMBERS_MAX))
		cohort_members_error();
}

CohortTable *
cohort_writer_finish(CohortWriter *writer)
{
	CohortParams *params = &writer->params;
	StringInfo	groups;
	StringInfoData buf;

	writer_begin(&buf, 128, COHORT_TABLE_VERSION, FLAG_FILLED |
				 (params->zoned ? FLAG_ZONED : 0) | (params->rolling ? FLAG_ROLLING : 0) |
				 (params->dates ? FLAG_DATES : 0) | (params->early > 0 ? FLAG_EARLY : 0));
	writer_uint(&buf, params->spec.unit);
	writer_uint(&buf, params->spec.week_start);
	writer_text(&buf, params->zone);
	if (params->rolling)
	{
		varint_append(&buf, params->months);
		varint_append(&buf, params->days);
		varint_append(&buf, params->micros);
		if (params->early > 0)
			varint_append(&buf, params->early);
	}
	varint_append(&buf, zigzag(writer->latest));
	varint_append(&buf, writer->nentries);
	appendBinaryStringInfo(&buf, writer->entries.data, writer->entries.len);
	if (params->rolling)
	{
		int			i = 0;

		/* without groups any unit would do: canonical is the largest */
		while (writer->ngroups > 0 && join_units[i] != writer->join_unit)
			i++;
		varint_append(&buf, i);
	}
	varint_append(&buf, writer->ngroups);

	/* the groups may be many: what precedes them goes before them in place */
	groups = &writer->groups;
	enlargeStringInfo(groups, buf.len);
	memmove(groups->data + buf.len, groups->data, groups->len);
	memcpy(groups->data, buf.data, buf.len);
	groups->len += buf.len;
	pfree(buf.data);
	return writer_finish(groups);
}

CohortTable *
cohort_table_empty(void)
{
	StringInfoData buf;

	writer_begin(&buf, 0, COHORT_TABLE_VERSION, 0);
	return writer_finish(&buf);
}

/* ---------- checking ---------- */

const char *
cohort_table_check(const char *data, Size len)
{
	CohortReader reader;
	CohortWriter writer;
	CohortTable *again;
	Calendar   *cal = NULL;
	int64		unit = PG_INT64_MAX;

	if (!cohort_reader_init(&reader, data, len))
		return reader.bytes.error;
	if (reader.empty)
		return NULL;
	if (reader.params.rolling && !reader.params.zoned)
		cal = cohort_calendar(&reader.params);
	cohort_writer_init(&writer, &reader.params, reader.latest, reader.join_unit);
	for (int i = 0; i < reader.nentries; i++)
		cohort_writer_entry(&writer, &reader.entries[i]);
	while (cohort_reader_next(&reader))
	{
		if (reader.params.rolling)
		{
			if (reader.group.join > reader.latest)
				return "joining time";
			/* the rules of a zone may have changed since the value was made */
			if (!reader.params.zoned &&
				calendar_period(cal, reader.group.join) != reader.group.cohort)
				return "joining time";
			unit = Min(unit, cohort_join_unit(reader.group.join));
		}
		cohort_writer_group(&writer, &reader.group);
	}
	if (reader.bytes.error != NULL)
		return reader.bytes.error;
	if (reader.params.rolling && writer.ngroups > 0 && unit != reader.join_unit)
		return "unit of joining times";
	again = cohort_writer_finish(&writer);
	if (VARSIZE(again) - VARHDRSZ != len || memcmp(VARDATA(again), data, len) != 0)
		return "encoding";
	return NULL;
}

/* ---------- merging ---------- */

static void
cohort_table_merge_entries(CohortWriter *writer, const CohortReader *a, const CohortReader *b)
{
	int			i = 0;
	int			j = 0;

	while (i < a->nentries || j < b->nentries)
	{
		LifecycleEntry sum = {0, 0, 0, 0};
		const LifecycleEntry *x = i < a->nentries ? &a->entries[i] : NULL;
		const LifecycleEntry *y = j < b->nentries ? &b->entries[j] : NULL;

		sum.period = x == NULL ? y->period : y == NULL ? x->period : Min(x->period, y->period);
		if (x != NULL && x->period == sum.period)
		{
			sum.active += x->active;
			sum.fresh += x->fresh;
			sum.returning += x->returning;
			i++;
		}
		if (y != NULL && y->period == sum.period)
		{
			sum.active += y->active;
			sum.fresh += y->fresh;
			sum.returning += y->returning;
			j++;
		}
		if (unlikely(sum.active > MEMBERS_MAX))
			cohort_members_error();
		cohort_writer_entry(writer, &sum);
	}
}

static void
merge_tally(Tally *to, const Tally *a, const Tally *b)
{
	int			i = 0;
	int			j = 0;

	to->n = 0;
	while (i < a->n || j < b->n)
	{
		if (j >= b->n || (i < a->n && a->k[i] < b->k[j]))
		{
			tally_push(to, a->k[i], a->count[i]);
			i++;
		}
		else if (i >= a->n || b->k[j] < a->k[i])
		{
			tally_push(to, b->k[j], b->count[j]);
			j++;
		}
		else
		{
			tally_push(to, a->k[i], a->count[i] + b->count[j]);
			i++;
			j++;
		}
	}
}

static int
compare_groups(const CohortGroup *a, const CohortGroup *b)
{
	if (a->cohort != b->cohort)
		return a->cohort < b->cohort ? -1 : 1;
	if (a->join != b->join)
		return a->join < b->join ? -1 : 1;
	return 0;
}

/* The heads of two tables; false if one of them is empty. */
static bool
read_heads(const CohortTable *a, const CohortTable *b, CohortReader *ra, CohortReader *rb)
{
	read_head(ra, VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));
	read_head(rb, VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));
	if (ra->bytes.error != NULL)
		reader_corrupt(&ra->bytes, cohort_table_name);
	if (rb->bytes.error != NULL)
		reader_corrupt(&rb->bytes, cohort_table_name);
	return !ra->empty && !rb->empty;
}

void
cohort_table_match(const CohortTable *a, const CohortTable *b)
{
	CohortReader ra;
	CohortReader rb;

	if (read_heads(a, b, &ra, &rb))
		cohort_params_match(&ra.params, &rb.params);
}

double
cohort_table_load(const CohortTable *table)
{
	CohortReader reader;
	int64		most = 0;

	cohort_reader_open(&reader, table);
	/* customers of entries are customers of groups, but in a forged table */
	for (int i = 0; i < reader.nentries; i++)
		most = Max(most, reader.entries[i].active);
	while (cohort_reader_group(&reader))
		;
	return (double) Max(most, reader.members) / (double) MEMBERS_MAX;
}

CohortTable *
cohort_table_merge(const CohortTable *a, const CohortTable *b)
{
	CohortReader ra;
	CohortReader rb;
	CohortWriter writer;
	CohortGroup sum;
	bool		more_a;
	bool		more_b;

	cohort_reader_open(&ra, a);
	cohort_reader_open(&rb, b);
	if (ra.empty)
		return value_copy(b);
	if (rb.empty)
		return value_copy(a);
	cohort_params_match(&ra.params, &rb.params);

	/* dates and instants add up to instants */
	ra.params.dates &= rb.params.dates;
	memset(&sum, 0, sizeof(sum));
	more_a = cohort_reader_group(&ra);
	more_b = cohort_reader_group(&rb);
	/* a table without groups has no joining times to divide */
	cohort_writer_init(&writer, &ra.params, Max(ra.latest, rb.latest),
					   Min(more_a ? ra.join_unit : PG_INT64_MAX,
						   more_b ? rb.join_unit : PG_INT64_MAX));
	cohort_table_merge_entries(&writer, &ra, &rb);
	while (more_a || more_b)
	{
		int			order = !more_a ? 1 : !more_b ? -1 : compare_groups(&ra.group, &rb.group);

		if (order < 0)
			cohort_writer_group(&writer, &ra.group);
		else if (order > 0)
			cohort_writer_group(&writer, &rb.group);
		else
		{
			sum.cohort = ra.group.cohort;
			sum.join = ra.group.join;
			sum.members = ra.group.members + rb.group.members;
			merge_tally(&sum.on, &ra.group.on, &rb.group.on);
			merge_tally(&sum.last, &ra.group.last, &rb.group.last);
			merge_tally(&sum.back, &ra.group.back, &rb.group.back);
			merge_tally(&sum.streak, &ra.group.streak, &rb.group.streak);
			merge_tally(&sum.first, &ra.group.first, &rb.group.first);
			cohort_writer_group(&writer, &sum);
		}
		if (order <= 0)
			more_a = cohort_reader_group(&ra);
		if (order >= 0)
			more_b = cohort_reader_group(&rb);
	}
	return cohort_writer_finish(&writer);
}
