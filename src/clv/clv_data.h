/*
 * clv_data.h
 *	  The clv_data value: what customers did before and after a day, counted.
 *
 * A model is judged by what it says of customers until the end of calibration
 * and what they did then.  For that it is enough to know how many customers
 * agree in (x, t_x, age) at the end of calibration, how many purchases those
 * made in the holdout that follows, until as_of, and how many repeat purchases
 * fell on each day.  A purchase is an active day of a history, a repeat purchase
 * one after the first; times are whole days.
 *
 * Customers whose first day comes after the end of calibration are counted, but
 * nothing else is known of them.
 *
 * Bytes, in the forms of byte_reader.h; "s" is a signed integer:
 *	  tag, flags, s calibration_end, as_of less that, left out,
 *	  rows: n x (age step, x, t_x, customers - 1, holdout), ascending by (age, x,
 *	  t_x), where x is a step where the age is that of the row before, and t_x
 *	  one less 1 where x is too,
 *	  days: n x (s first day, then step - 1; purchases - 1)
 *
 * Promises: what passes clv_data_check() adds up; equal data have equal bytes.
 * Never: knows of models.
 */
#ifndef RETENTION_CLV_DATA_H
#define RETENTION_CLV_DATA_H

#include "history/history.h"
#include "utils/date.h"

typedef struct varlena ClvData;

extern const ValueType clv_data_type;

#define PG_GETARG_CLV_DATA(n) ((ClvData *) value_get(fcinfo, n, &clv_data_type))

typedef struct ClvDataRow
{
	int32		age;			/* days from the first one to the end of calibration */
	int32		x;
	int32		t_x;			/* days */
	int64		customers;
	int64		holdout;		/* purchases of all of them */
} ClvDataRow;

typedef struct ClvDataDay
{
	DateADT		day;
	int64		purchases;		/* repeat ones, of the customers of the rows */
} ClvDataDay;

/* A value, unpacked; arrays in the current context. */
typedef struct ClvDataContent
{
	DateADT		calibration_end;
	bool		as_of_given;
	DateADT		as_of;			/* else the latest day seen; not before calibration_end */
	int64		left_out;		/* customers who came later */
	uint64		nrows;
	ClvDataRow *rows;
	uint64		ndays;
	ClvDataDay *days;
} ClvDataContent;

/* NULL, or what is wrong with the bytes. */
extern const char *clv_data_check(const char *data, Size len);

/* The same for a value of our type, where corruption is an error. */
extern void clv_data_read(const ClvData *value, ClvDataContent *content);

extern ClvData *clv_data_build(const ClvDataContent *content);

/* Of disjoint customers; 22023 unless calibration_end and as_of are the same. */
extern ClvData *clv_data_merge(const ClvData *a, const ClvData *b);

/* That error alone, and how much a value takes (value_type.h). */
extern void clv_data_match_values(const ClvData *a, const ClvData *b);
extern double clv_data_load(const ClvData *value);
extern void clv_data_match(DateADT end_a, bool given_a, DateADT as_of_a,
						   DateADT end_b, bool given_b, DateADT as_of_b);

/* 22003 where counts leave their range */
extern void clv_data_count(int64 *count, int64 more);

/* A day as text, the same under any setting. */
extern const char *clv_data_day(DateADT day);

/* Earliest first day; calibration_end without customers. */
extern DateADT clv_data_first_day(const ClvDataContent *content);

/* ---------- data that still take customers (clv_data_trans.c) ---------- */

/*
 * The transition state of the aggregate clv_data() has its type, so that
 * distributed plans can split it, but another form: a hash table of rows and
 * days, flat, with room to grow, changed in place.
 */
typedef struct ClvDataTrans ClvDataTrans;

extern ClvDataTrans *clv_data_open_create(DateADT calibration_end, bool as_of_given,
										  DateADT as_of);

/* A state as one that may be changed: itself, or where it is none a new one. */
extern ClvDataTrans *clv_data_open_state(ClvData *value);

/*
 * Adds a customer; a history without days until as_of is none.  Returns the
 * data, or where they must grow larger ones in the current context.
 */
extern ClvDataTrans *clv_data_open_add(ClvDataTrans *open, const CustomerHistory *history);

/* The same for all customers of other data, open or not. */
extern ClvDataTrans *clv_data_open_merge(ClvDataTrans *open, const ClvData *more);

/* 22023 unless the data were asked the same. */
extern void clv_data_open_match(const ClvDataTrans *open, DateADT calibration_end,
								bool as_of_given, DateADT as_of);

/* The value, in the current context; the open data stay as they are. */
extern ClvData *clv_data_open_finish(const ClvData *open);

#endif							/* RETENTION_CLV_DATA_H */
