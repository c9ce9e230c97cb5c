/*
 * clv_sample.h
 *	  Customers on their way into a fit: collapsed, flat, mergeable.
 *
 * The likelihood of purchases depends on a customer only through (x, t_x, age):
 * a sample keeps one slot for all who agree, in a hash table that lies in the
 * value itself, and (x, mean spend) of each repeat buyer in an array behind it.
 * It is the transition state of clv_model() over customers, of type bytea, so
 * that parallel, partition-wise and distributed plans can split the aggregate;
 * it is changed in place, and grows by doubling.
 *
 * Promises: the fit of a sample depends on its customers alone, to the last
 * bit: not on their order, nor on how often samples were merged.
 * Never: touches what it was merged from.
 */
#ifndef RETENTION_CLV_SAMPLE_H
#define RETENTION_CLV_SAMPLE_H

#include "clv/clv.h"
#include "value/flat_hash.h"

/* What is to be fitted; zeroed padding, compared as bytes. */
typedef struct ClvSpec
{
	uint8		purchase;		/* PurchaseKind */
	uint8		spend;			/* Gamma-Gamma too; flags are 0 or 1, also in a hostile state */
	uint8		unit;			/* TimeUnit */
	uint8		days;			/* times are days, converted to units by the fit */
	uint8		first_days;		/* in place of the age stands the first day: age = latest - it */
	uint8		unused[3];
} ClvSpec;

typedef struct ClvSample
{
	int32		vl_len_;		/* varlena header */
	uint32		magic;			/* CLV_SAMPLE_MAGIC */
	ClvSpec		spec;
	uint8		has_as_of;		/* some customer had one */
	uint8		as_of_varies;
	uint8		has_latest;
	uint8		unused[5];
	int32		as_of;			/* the one that all customers have */
	int32		latest;			/* latest day of any history, when spec.first_days */
	int64		skipped;		/* rows with a NULL among what is needed */
	int64		left_out;		/* repeat buyers without a positive mean spend */
	int64		unpaid;			/* repeat buyers of whom no amount is known */
	Seen		seen;			/* until as_of */
	FlatHash	hash;			/* of rows */
	uint32		spends_used;
	uint32		spends;			/* room */
	uint32		unused2;
	/* ModelRow[], free ones with count 0; then {double x, z}[spends] */
	double		data[FLEXIBLE_ARRAY_MEMBER];
} ClvSample;

#define CLV_SAMPLE_MAGIC 0x33564c43

/* In the current memory context. */
extern ClvSample *clv_sample_create(const ClvSpec *spec);

/*
 * Adds a customer that was checked (clv_customer_check()).  Returns the sample,
 * or where it must grow a larger one in the current memory context.  spend_x 0:
 * no mean spend is known, z is not looked at.
 */
extern ClvSample *clv_sample_add(ClvSample *sample, double x, double t_x, double age,
								 double spend_x, double z);

/* The same for all customers of another sample of the same spec. */
extern ClvSample *clv_sample_merge(ClvSample *sample, const ClvSample *more);

/* The fit; the sample stays as it is.  Can be cancelled.  In the current context. */
extern void clv_sample_fit(const ClvSample *sample, ClvModel *model);

#endif							/* RETENTION_CLV_SAMPLE_H */
