/*
 * cohort_table.h
 *	  The cohort_table value: its flat form, a reader, a writer and a merge.
 *
 * A value is a list of groups and a list of lifecycle entries.  A group is the
 * set of customers of one cohort, and with rolling windows of one joining
 * instant, so that each member's own clock can be read off for any as_of.  A
 * group holds its members' activity as tallies over k, from which every measure
 * follows by running sums:
 *	  on[k]		members active in window k
 *	  last[k]	members whose last active window is k
 *	  back[k]	members whose first active window after window 0 is k (k >= 1)
 *	  streak[k] members active in each of 1..k but not in k + 1 (k >= 1)
 *	  first[k]	members whose first active window is k
 *
 * Bytes, all integers as minimal LEB128, "s" zigzag, so that the value is the
 * same on every architecture and equal values have equal bytes:
 *	  tag, flags; nothing more when empty, else
 *	  unit, week start, zone (length, bytes), [months, days, micros, [early]],
 *	  s latest,
 *	  entries: n x (period step, active, new, returning)
 *	  [join unit], groups: n x (cohort step, [s join step], members, on,
 *	  [last, back, streak, [first]])
 * where the tallies other than "on", and the counts within "on", are left out
 * for groups of one member, in which they follow from "on", and "first" where all
 * members are active in window 0, as they are unless joined_at says otherwise.
 *
 * Promises: the reader checks every length, order and bound before using it.
 * Never: knows how customers are found or how rows are shown.
 */
#ifndef RETENTION_COHORT_TABLE_H
#define RETENTION_COHORT_TABLE_H

#include "cohort/cohort_params.h"
#include "lib/stringinfo.h"
#include "value/byte_reader.h"
#include "value/value_type.h"

#define COHORT_TABLE_VERSION 1

typedef struct varlena CohortTable;

extern const ValueType cohort_table_type;

#define PG_GETARG_COHORT_TABLE_PP(n) ((CohortTable *) value_get(fcinfo, n, &cohort_table_type))

/* A tally over k: ascending k, positive counts. */
typedef struct Tally
{
	int			n;
	int			capacity;
	int32	   *k;
	int64	   *count;
} Tally;

typedef struct CohortGroup
{
	int32		cohort;			/* period ordinal */
	int64		join;			/* instant; 0 for calendar windows */
	int64		members;
	Tally		on;
	Tally		last;
	Tally		back;
	Tally		streak;
	Tally		first;			/* to be written only if not all are active in 0 */
} CohortGroup;

/* Are all members active in window 0? */
static inline bool
group_all_begin(const CohortGroup *group)
{
	return group->on.n > 0 && group->on.k[0] == 0 && group->on.count[0] == group->members;
}

typedef struct LifecycleEntry
{
	int32		period;			/* periods without activity have no entry */
	int64		active;
	int64		fresh;			/* "new" */
	int64		returning;
} LifecycleEntry;

/* ---------- reading ---------- */

typedef struct CohortReader
{
	ByteReader	bytes;
	bool		empty;
	CohortParams params;
	RollingWidth width;			/* of params, when rolling */
	int32		first_period;	/* that the calendar has, and the last */
	int32		last_period;
	int64		latest;			/* instant; undefined when empty */
	int			nentries;
	LifecycleEntry *entries;
	int64		join_unit;
	uint64		groups_left;
	int64		members;		/* of the groups read so far */
	bool		started;
	CohortGroup group;			/* the last one read; arrays are reused */
} CohortReader;

/*
 * Reads the header and the lifecycle.  False, with reader->bytes.error set, when the
 * bytes are no cohort_table.  The value must stay in memory.  Arrays are
 * allocated in the current context.
 */
extern bool cohort_reader_init(CohortReader *reader, const char *data, Size len);

/* Same for a value of our type: an error that it is corrupt, if it is. */
extern void cohort_reader_open(CohortReader *reader, const CohortTable *table);

/* Reads the next group; false at the end, or with reader->bytes.error set. */
extern bool cohort_reader_next(CohortReader *reader);

/* Same; a corrupt group is an error. */
extern bool cohort_reader_group(CohortReader *reader);

/* ---------- writing ---------- */

typedef struct CohortWriter
{
	CohortParams params;
	int64		latest;
	int64		join_unit;		/* the largest of cohort_join_unit()'s that divides all */
	int			nentries;
	uint64		ngroups;
	int32		last_period;
	int32		last_cohort;
	int64		last_join;
	int64		members;		/* of all groups */
	StringInfoData entries;
	StringInfoData groups;
} CohortWriter;

extern void cohort_writer_init(CohortWriter *writer, const CohortParams *params,
							   int64 latest, int64 join_unit);

/* in ascending order */
extern void cohort_writer_entry(CohortWriter *writer, const LifecycleEntry *entry);
extern void cohort_writer_group(CohortWriter *writer, const CohortGroup *group);
extern CohortTable *cohort_writer_finish(CohortWriter *writer);
extern CohortTable *cohort_table_empty(void);

/* Day, second, millisecond or microsecond: the largest that divides an instant. */
extern int64 cohort_join_unit(int64 join);

/*
 * Sum of two tables over disjoint customers, in the current context.  22023 where
 * they were asked for other periods, windows or zones; 22003 for too many customers.
 */
extern CohortTable *cohort_table_merge(const CohortTable *a, const CohortTable *b);

/* The first of these errors alone, and how much a table takes (value_type.h). */
extern void cohort_table_match(const CohortTable *a, const CohortTable *b);
extern double cohort_table_load(const CohortTable *table);

/* NULL if the bytes are a canonical cohort_table, else what is wrong. */
extern const char *cohort_table_check(const char *data, Size len);

/*
 * The window of an instant from a joining one on, and how many had closed at one:
 * each ends the early part before the next one's boundary.
 */
static inline int32
cohort_window(Calendar *cal, const RollingWidth *width, int64 early, int64 join, int64 at)
{
	return rolling_index(cal, width, join, Min(at + early, END_TIMESTAMP - 1));
}

/* ---------- tallies ---------- */

extern void tally_push(Tally *tally, int32 k, int64 count); /* ascending k */

#endif							/* RETENTION_COHORT_TABLE_H */
