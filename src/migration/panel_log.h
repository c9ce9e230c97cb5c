/*
 * panel_log.h
 *	  From rows of customer, time and segment to the segments of each customer by
 *	  period: the transition state of migration_matrix() over panels, and of
 *	  migration_changes().
 *
 * In a panel customers are in a segment in the periods in which they have a row;
 * in a log of changes at the end of each period from their first row to the last
 * period that was asked for, until the next row.
 *
 * A customer log (customer_log.h) with calendar periods as times.  A word is
 * the instant of the row and, below that, the number of its segment: of two rows
 * in one period the later one counts, and of two at one instant the one whose
 * segment stands later among the states.
 *
 * Ownership: a log and all it points to live in the aggregate's context;
 * PanelShared lives as long as the query.
 * Promises: the matrix does not depend on the order of rows, nor on how they were
 * split.
 * Never: knows where segments come from.
 */
#ifndef RETENTION_PANEL_LOG_H
#define RETENTION_PANEL_LOG_H

#include "calendar/calendar.h"
#include "customer/customer_log.h"
#include "fmgr/state_transport.h"
#include "migration/migration.h"
#include "pgtime.h"
#include "value/label_set.h"

/* What was asked; equal in all logs that are merged. */
typedef struct PanelTerms
{
	PeriodSpec	period;
	bool		zoned;			/* times are timestamptz */
	bool		folds;			/* labels are equal if they are so in lower case */
	bool		enumerated;		/* the list of states is that of an enum */
	bool		changes;		/* a log of changes, whose rows are all of periods up to: */
	int32		last;
	char		zone[TZ_STRLEN_MAX + 1];	/* "" where none was given or needed */
} PanelTerms;

/* Per query: terms and what is derived from them. */
typedef struct PanelShared
{
	struct PanelShared *next;	/* of a call site whose groups differ; combine only */
	PanelTerms	terms;
	LabelSet   *declared;		/* the list of states; NULL without */
	LabelSet   *folded;			/* the same in lower case, where terms.folds */
	LabelSet   *finals;			/* segments that nobody stays in; NULL: none */
	LogKeys		keys;
} PanelShared;

/* Of rows that are in no log: what they lack. */
typedef enum PanelLeftOut
{
	LEFT_OUT_CUSTOMER,
	LEFT_OUT_TIME,
	LEFT_OUT_SEGMENT,
	LEFT_OUT_KINDS
} PanelLeftOut;

typedef struct PanelLog
{
	int			magic;			/* PANEL_BOOK_MAGIC, against a StateImage */
	PanelShared *shared;
	int64	   *left_out;		/* LEFT_OUT_KINDS counts of rows; NULL: none */
	CustomerLog customers;		/* its words refer to LabelSet */
} PanelLog;

/* What is not in a matrix, of rows that are in the log. */
typedef struct PanelLosses
{
	int64		steps;			/* that are in it */
	int64		gaps;			/* rows of a panel after a gap: no step led there */
	int64		ties;			/* ends of periods with several segments, of no declared order */
	int64		returned;		/* changes out of a final segment */
} PanelLosses;

/* a block of 128 bytes: there may be a million groups */
StaticAssertDecl(sizeof(PanelLog) <= 128, "PanelLog has grown past a block size");

#define PANEL_BOOK_MAGIC	0x524d5042
#define PANEL_IMAGE_MAGIC	0x524d5044

/*
 * The word of a row.  16 bits are the segment's, one of which says that there was
 * another one at the same instant; of the instant's 64, 48 remain, which tell any
 * two of one period apart: a year has less than 2^45 microseconds.
 */
#define PANEL_LABEL_BITS	16
#define PANEL_LABEL_MASK	((UINT64CONST(1) << PANEL_LABEL_BITS) - 1)
#define PANEL_TIE			(UINT64CONST(1) << (PANEL_LABEL_BITS - 1))

static inline uint64
panel_word(int64 at, uint32 label)
{
	return (uint64) at << PANEL_LABEL_BITS | label;
}

static inline uint32
panel_word_label(uint64 word)
{
	return (uint32) (word & PANEL_LABEL_MASK & ~PANEL_TIE);
}

static inline LabelSet *
panel_labels(const EventLog *log)
{
	return log->words;
}

/* Names of segments; none: labels is NULL. */
typedef struct PanelList
{
	char	  **labels;
	int32		n;
} PanelList;

/*
 * Terms, list of states, final segments and key type, in a context that lives as
 * long as the query.  22023 for a final segment that is not in the list.
 */
extern PanelShared *panel_shared_create(const PanelTerms *terms, const PanelList *states,
										const PanelList *finals, Oid keytype, Oid collation,
										MemoryContext query_context);

/* NULL, or the name of a term in which two differ. */
extern const char *panel_shared_differ(const PanelShared *shared, const PanelShared *other);

extern PanelLog *panel_log_create(PanelShared *shared, MemoryContext context);

/* The number of a label in a log, which gets one if it is new. */
extern uint32 panel_log_label(PanelLog *log, const char *text, uint32 len);

/* A row that is left out. */
extern void panel_log_leave_out(PanelLog *log, PanelLeftOut kind, int64 rows);

/* The matrix, in the current context, and what it lacks. */
extern MigrationValue *panel_log_matrix(PanelLog *log, PanelLosses *lost);

/* ---------- between processes (panel_log_serialize.c) ---------- */

extern bytea *panel_log_serialize(PanelLog *log);

/*
 * Adds an image to a log; *log may be NULL.  *shared is the list of all terms
 * that the call site has met.
 */
extern void panel_log_merge(PanelLog **log, PanelShared **shared, MemoryContext context,
							MemoryContext query_context, const StateImage *image);

#endif							/* RETENTION_PANEL_LOG_H */
