/*
 * panel_rows.h
 *	  What the aggregates over rows of customer, time and segment share: the types
 *	  that segments have, and what is told of rows and steps that were left out.
 *
 * Segments are text (also char(n), name, citext), integers, booleans, or enums,
 * whose labels are a declared list.  A label is what the type's cast to text
 * gives, which hangs on no setting.
 *
 * Promises: what is told is told once a call site, with its count.
 * Never: knows what is counted of customers.
 */
#ifndef RETENTION_PANEL_ROWS_H
#define RETENTION_PANEL_ROWS_H

#include "migration/migration_enum.h"
#include "migration/panel_log.h"

/* Where arguments stand that all of them have. */
#define PANEL_ARG_CUSTOMER	1
#define PANEL_ARG_AT		2
#define PANEL_ARG_SEGMENT	3

/* The longest bigint has 20 characters. */
#define PANEL_INTEGER_LABEL	24

/* How a segment comes; the first two as text that is its label. */
typedef enum SegmentKind
{
	SEGMENT_TEXT,				/* text, varchar */
	SEGMENT_FOLDED,				/* citext: labels that differ in case are equal */
	SEGMENT_PADDED,				/* char(n): blanks at the end do not count */
	SEGMENT_NAME,
	SEGMENT_LITERAL,			/* of no type yet: a C string */
	SEGMENT_INT2,
	SEGMENT_INT4,
	SEGMENT_INT8,
	SEGMENT_BOOLEAN,
	SEGMENT_ENUM
} SegmentKind;

#define SEGMENT_IS_LABEL(kind)	((kind) <= SEGMENT_FOLDED)

typedef struct SegmentType
{
	SegmentKind kind;
	bool		listed;			/* states are declared otherwise than by the enum */
	EnumList   *enums;			/* SEGMENT_ENUM: its labels */
} SegmentType;

/* Of an argument, in the current context; 42804 for other types. */
extern void segment_type_init(SegmentType *type, FunctionCallInfo fcinfo, int arg);

/* The states that the type declares: those of an enum that are not listed otherwise. */
extern char **segment_type_states(const SegmentType *type, int32 *n);

/* The number of a segment in a log. */
extern uint32 segment_number(const SegmentType *type, Datum value, PanelLog *log);

/*
 * Customers are compared under their own collation: what the call has as one may
 * be that of segments, or none where the two differ.
 */
extern Oid	panel_customer_collation(FunctionCallInfo fcinfo);

/* Are there a customer, a time and a segment?  Else the row is left out, and counted. */
extern bool panel_row_is_whole(FunctionCallInfo fcinfo, PanelLog *log);

/* The matrix of a final function's state, which may be NULL; tells what it lacks. */
extern MigrationValue *panel_final_matrix(FunctionCallInfo fcinfo);

#endif							/* RETENTION_PANEL_ROWS_H */
