/*
 * label_text.h
 *	  One text for each value that names something: a group, a cause, a segment.
 *
 * A value's output depends on TimeZone, DateStyle, IntervalStyle,
 * extra_float_digits and bytea_output, and has not always the type's equality:
 * numeric 1.0 and 1.00 are equal.  Labels are stored, added up and sent to other
 * servers, so they have texts of their own.
 *
 * Promises: equal values have one text, different ones have different texts,
 * under any settings; a type of which that cannot be had is refused.
 * Never: limits how long a text is, or says what one is for.
 */
#ifndef RETENTION_LABEL_TEXT_H
#define RETENTION_LABEL_TEXT_H

#include "retention.h"

typedef struct LabelText LabelText;

/* Is it the citext of the extension, of which what differs in case is equal? */
extern bool label_type_folds(Oid basetype);

/*
 * Of one call site and one argument, which messages call "what": 42804 if
 * values of the type cannot be labels.  Lives in the context.
 */
extern LabelText *label_text_create(Oid type, Oid collation, const char *what, MemoryContext context);

/* The text of a value, len bytes and a zero: until the next call. */
extern const char *label_text(LabelText *reader, Datum value, int *len);

#endif							/* RETENTION_LABEL_TEXT_H */
