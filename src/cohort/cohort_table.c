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
#include "value/varint.h"

#define FLAG_FILLED		0x01	/* has parameters; else the table is empty */
#define FLAG_ZONED		0x02
#define FLAG_ROLLING	0x04
#define FLAGS_ALL		0x07

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

static bool
cohort_table_corrupt(CohortReader *reader, const char *what)
{
	reader->error = what;
	return false;
}

static bool
cohort_table_get(CohortReader *reader, uint64 max, const char *what, uint64 *value)
{
	if (!varint_get(&reader->at, reader->end, value) || *value > max)
		return cohort_table_corrupt(reader, what);
	return true;
}

/* a zigzag step from a previous value, within an int32 or the timestamp range */
static bool
cohort_table_get_step(CohortReader *reader, int64 from, int64 min, int64 max, const char *what,
		 int64 *value)
{
	uint64		raw;

	if (!cohort_table_get(reader, PG_UINT64_MAX, what, &raw))
		return false;
	if (pg_add_s64_overflow(from, unzigzag(raw), value) || *value < min || *value > max)
		return cohort_table_corrupt(reader, what);
	return true;
}

static bool
read_params(CohortReader *reader, uint8 flags)
{
	CohortParams *params = &reader->params;
	uint64		v;
	pg_tz	   *tz;

	params->zoned = (flags & FLAG_ZONED) != 0;
	params->rolling = (flags & FLAG_ROLLING) != 0;
	if (!cohort_table_get(reader, PERIOD_UNIT_LAST, "period", &v))
		return false;
	params->spec.unit = (uint8) v;
	if (!cohort_table_get(reader, params->spec.unit == PERIOD_WEEK ? 6 : 0, "start of week", &v))
		return false;
	params->spec.week_start = (uint8) v;

	if (!cohort_table_get(reader, TZ_STRLEN_MAX, "time zone", &v))
		return false;
	if (v > (uint64) (reader->end - reader->at) || (v == 0 && params->zoned) ||
		memchr(reader->at, '\0', v) != NULL)
		return cohort_table_corrupt(reader, "time zone");
	memcpy(params->zone, reader->at, v);
	params->zone[v] = '\0';
	reader->at += v;
	if (v > 0)
	{
		tz = zone_find(params->zone, (int) v);
		if (tz == NULL || strcmp(pg_get_timezone_name(tz), params->zone) != 0)
			return cohort_table_corrupt(reader, "time zone");
	}

	if (params->rolling)
	{
		if (!cohort_table_get(reader, PG_INT32_MAX, "window", &v))
			return false;
		params->months = (int32) v;
		if (!cohort_table_get(reader, PG_INT32_MAX, "window", &v))
			return false;
		params->days = (int32) v;
		if (!cohort_table_get(reader, PG_INT64_MAX, "window", &v))
			return false;
		params->micros = (int64) v;
		if (!rolling_width_valid(params->months, params->days, params->micros))
			return cohort_table_corrupt(reader, "window");
		reader->width = rolling_width(params->zoned, params->months, params->days,
									  params->micros);
	}
	return true;
}

static bool
read_entries(CohortReader *reader)
{
	uint64		n;
	int64		period = 0;

	/* each entry is 4 bytes at least: n is bounded by what is there */
	if (!cohort_table_get(reader, (reader->end - reader->at) / 4, "number of lifecycle periods", &n))
		return false;
	reader->nentries = (int) n;
	reader->entries = palloc(sizeof(LifecycleEntry) * (n + 1));
	for (int i = 0; i < reader->nentries; i++)
	{
		LifecycleEntry *entry = &reader->entries[i];
		int64		previous = period;
		uint64		v;

		if (!cohort_table_get_step(reader, period, reader->first_period, reader->last_period,
					  "lifecycle period", &period))
			return false;
		if (i > 0 && period <= previous)
			return cohort_table_corrupt(reader, "lifecycle period");
		entry->period = (int32) period;
		if (!cohort_table_get(reader, MEMBERS_MAX, "active customers", &v) || v == 0)
			return cohort_table_corrupt(reader, "active customers");
		entry->active = (int64) v;
		if (!cohort_table_get(reader, entry->active, "new customers", &v))
			return false;
		entry->fresh = (int64) v;
		if (!cohort_table_get(reader, entry->active - entry->fresh, "returning customers", &v))
			return false;
		entry->returning = (int64) v;
		if (entry->returning > 0 &&
			(i == 0 || previous != period - 1 ||
			 entry->returning > reader->entries[i - 1].active))
			return cohort_table_corrupt(reader, "returning customers");
	}
	return true;
}

bool
cohort_reader_init(CohortReader *reader, const char *data, Size len)
{
	Calendar	cal = {0};			/* only its unit matters here */
	uint8		flags;
	uint64		v;

	memset(reader, 0, sizeof(CohortReader));
	reader->at = (const uint8 *) data;
	reader->end = reader->at + len;
	if (len < 2)
		return cohort_table_corrupt(reader, "length");
	if (*reader->at++ != COHORT_TABLE_VERSION)
		return cohort_table_corrupt(reader, "version");
	flags = *reader->at++;
	if ((flags & ~FLAGS_ALL) != 0)
		return cohort_table_corrupt(reader, "flags");
	if ((flags & FLAG_FILLED) == 0)
	{
		reader->empty = true;
		if (flags != 0 || len != 2)
			return cohort_table_corrupt(reader, "flags");
		return true;
	}
	if (!read_params(reader, flags))
		return false;
	cal.spec = reader->params.spec;
	reader->first_period = calendar_period_of_wall(&cal, MIN_TIMESTAMP);
	reader->last_period = calendar_period_of_wall(&cal, END_TIMESTAMP - 1);
	if (!cohort_table_get_step(reader, 0, MIN_TIMESTAMP, END_TIMESTAMP - 1, "latest time", &reader->latest) ||
		!read_entries(reader))
		return false;
	reader->join_unit = 1;
	if (reader->params.rolling)
	{
		if (!cohort_table_get(reader, lengthof(join_units) - 1, "unit of joining times", &v))
			return false;
		reader->join_unit = join_units[v];
	}
	/* a group is 3 bytes at least */
	return cohort_table_get(reader, (reader->end - reader->at) / 3, "number of cohorts",
			   &reader->groups_left);
}

/*
 * A tally.  With "single", counts are not stored and are 1.  No count exceeds
 * the group's members, and with "distinct" neither does their sum.
 */
static bool
cohort_table_read_tally(CohortReader *reader, Tally *tally, int32 min_k, bool single, bool distinct)
{
	CohortGroup *group = &reader->group;
	int64		max_k = reader->params.rolling ? PG_INT32_MAX / 2 :
		reader->last_period - (int64) group->cohort;
	int64		k = (int64) min_k - 1;
	int64		sum = 0;
	uint64		n;
	uint64		v;

	tally->n = 0;
	if (!cohort_table_get(reader, (reader->end - reader->at) / (single ? 1 : 2), "number of windows", &n))
		return false;
	max_k = Min(max_k, PG_INT32_MAX);
	for (uint64 i = 0; i < n; i++)
	{
		if (!cohort_table_get(reader, PG_INT32_MAX, "window number", &v))
			return false;
		k += (int64) v + 1;
		if (k > max_k)
			return cohort_table_corrupt(reader, "window number");
		v = 1;
		if (!single && (!cohort_table_get(reader, group->members, "customers in a window", &v) || v == 0))
			return cohort_table_corrupt(reader, "customers in a window");
		sum += (int64) v;
		if (distinct && sum > group->members)
			return cohort_table_corrupt(reader, "customers in a window");
		tally_push(tally, (int32) k, (int64) v);
	}
	return true;
}

/* What a single member's windows say about its last, its first return, its streak. */
static void
derive_single(CohortGroup *group)
{
	Tally	   *on = &group->on;
	int			first = on->n > 0 && on->k[0] == 0 ? 1 : 0;
	int			streak = 0;

	group->last.n = group->back.n = group->streak.n = 0;
	if (on->n > 0)
		tally_push(&group->last, on->k[on->n - 1], 1);
	if (on->n > first)
		tally_push(&group->back, on->k[first], 1);
	while (first + streak < on->n && on->k[first + streak] == streak + 1)
		streak++;
	if (streak > 0)
		tally_push(&group->streak, streak, 1);
}

bool
cohort_reader_next(CohortReader *reader)
{
	CohortGroup *group = &reader->group;
	bool		rolling = reader->params.rolling;
	int64		v;
	uint64		u;

	if (reader->empty || reader->groups_left == 0)
	{
		if (reader->at != reader->end)
			return cohort_table_corrupt(reader, "length");
		return false;
	}
	CHECK_FOR_INTERRUPTS();

	if (!cohort_table_get_step(reader, reader->started ? group->cohort : 0, reader->first_period,
				  reader->last_period, "cohort", &v))
		return false;
	if (reader->started && (rolling ? v < group->cohort : v <= group->cohort))
		return cohort_table_corrupt(reader, "cohort");
	if (rolling)
	{
		bool		same = reader->started && v == group->cohort;
		int64		join;

		if (!cohort_table_get_step(reader, reader->started ? group->join / reader->join_unit : 0,
					  MIN_TIMESTAMP / reader->join_unit,
					  (END_TIMESTAMP - 1) / reader->join_unit, "joining time", &join))
			return false;
		join *= reader->join_unit;
		if (same && join <= group->join)
			return cohort_table_corrupt(reader, "joining time");
		group->join = join;
	}
	group->cohort = (int32) v;
	reader->started = true;
	reader->groups_left--;

	if (!cohort_table_get(reader, MEMBERS_MAX, "size of a cohort", &u) || u == 0)
		return cohort_table_corrupt(reader, "size of a cohort");
	group->members = (int64) u;
	if (pg_add_s64_overflow(reader->members, group->members, &reader->members) ||
		reader->members > MEMBERS_MAX)
		return cohort_table_corrupt(reader, "size of a cohort");
	if (!cohort_table_read_tally(reader, &group->on, 0, group->members == 1, false))
		return false;
	if (group->members == 1)
	{
		derive_single(group);
		return true;
	}
	return cohort_table_read_tally(reader, &group->last, 0, false, true) &&
		cohort_table_read_tally(reader, &group->back, 1, false, true) &&
		cohort_table_read_tally(reader, &group->streak, 1, false, true);
}

static void
cohort_table_corrupt_error(CohortReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("cohort_table value is corrupt: wrong %s", reader->error)));
}

void
cohort_reader_open(CohortReader *reader, const CohortTable *table)
{
	if (!cohort_reader_init(reader, VARDATA_ANY(table), VARSIZE_ANY_EXHDR(table)))
		cohort_table_corrupt_error(reader);
}

bool
cohort_reader_group(CohortReader *reader)
{
	bool		found = cohort_reader_next(reader);

	if (reader->error != NULL)
		cohort_table_corrupt_error(reader);
	return found;
}

/* ---------- writer ---------- */

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
	}
	writer->ngroups++;
}

CohortTable *
cohort_writer_finish(CohortWriter *writer)
{
	CohortParams *params = &writer->params;
	StringInfo	groups;
	StringInfoData buf;
	int			zone_len = strlen(params->zone);

	initStringInfo(&buf);
	appendStringInfoSpaces(&buf, VARHDRSZ);
	appendStringInfoChar(&buf, COHORT_TABLE_VERSION);
	appendStringInfoChar(&buf, FLAG_FILLED | (params->zoned ? FLAG_ZONED : 0) |
						 (params->rolling ? FLAG_ROLLING : 0));
	varint_append(&buf, params->spec.unit);
	varint_append(&buf, params->spec.week_start);
	varint_append(&buf, zone_len);
	appendBinaryStringInfo(&buf, params->zone, zone_len);
	if (params->rolling)
	{
		varint_append(&buf, params->months);
		varint_append(&buf, params->days);
		varint_append(&buf, params->micros);
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
	SET_VARSIZE(groups->data, groups->len);
	pfree(buf.data);
	return (CohortTable *) groups->data;
}

CohortTable *
cohort_table_empty(void)
{
	CohortTable *table = palloc(VARHDRSZ + 2);

	SET_VARSIZE(table, VARHDRSZ + 2);
	VARDATA(table)[0] = COHORT_TABLE_VERSION;
	VARDATA(table)[1] = 0;
	return table;
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

static CohortTable *
copy_table(const CohortTable *table)
{
	Size		len = VARSIZE_ANY_EXHDR(table);
	CohortTable *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), VARDATA_ANY(table), len);
	return copy;
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
		return copy_table(b);
	if (rb.empty)
		return copy_table(a);
	cohort_params_match(&ra.params, &rb.params);

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
			cohort_writer_group(&writer, &sum);
		}
		if (order <= 0)
			more_a = cohort_reader_group(&ra);
		if (order >= 0)
			more_b = cohort_reader_group(&rb);
	}
	return cohort_writer_finish(&writer);
}
