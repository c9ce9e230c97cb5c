/*
 * churn_features.h
 *	  Features of rows: from float8[] and records to raw doubles.
 *
 * Records are read by their type's description, arrays by position.  22023 for
 * NaN and infinite numbers, with the feature's name and value; 42804 for columns
 * that are no feature (dates, with the hint to count days; and other types);
 * 2202E for arrays of another length or with dimensions.
 *
 * Promises: what a record's text column says is told from others by its bytes.
 * Never: remembers a row.
 */
#ifndef RETENTION_CHURN_FEATURES_H
#define RETENTION_CHURN_FEATURES_H

#include "churn/churn.h"
#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/typcache.h"

/* A label of an enum, as long as the reader lives. */
typedef struct EnumLabel
{
	Oid			value;
	int			length;
	const char *text;
} EnumLabel;

/* A column of the record that is a feature. */
typedef struct FeatureSource
{
	const char *name;
	FeatureKind kind;
	int			attribute;		/* of the record, from 0; arrays: the position */
	Oid			type;			/* base type */
	FmgrInfo	output;			/* enums: their label */
	EnumLabel  *labels;			/* met so far */
	int			nlabels;
	int			maxlabels;
} FeatureSource;

/* How rows of one type are read; lives in the context in which it was made. */
typedef struct FeatureReader
{
	ChurnInput	input;
	int			n;
	FeatureSource *sources;
	MemoryContext context;
	/* of records */
	Oid			type;			/* it was made for; another one is 42804 in training */
	int32		typmod;
	TupleDesc	desc;			/* a copy */
	struct TypeCacheEntry *entry;	/* of a named type, which ALTER TABLE may change ... */
	uint64		identifier;		/* ... since this one; 0: it cannot change */
	Datum	   *values;			/* scratch: a record deformed */
	bool	   *nulls;
} FeatureReader;

/* A raw value of a row: of categories the text. */
typedef struct FeatureValue
{
	double		number;			/* NaN: NULL */
	const char *text;			/* categories: not terminated; NULL for NULL */
	int			length;
} FeatureValue;

/* For training: all columns but the excluded ones are features. */
extern FeatureReader *feature_reader_for_array(Datum array, const ChurnOptions *options);
extern FeatureReader *feature_reader_for_record(Datum record, const ChurnOptions *options);

/* For scoring: the model's features, found by name (42703 if one is missing, 42804 if it is
 * of another kind) or by position. */
extern FeatureReader *feature_reader_for_model(const ChurnModel *model, Oid type, int32 typmod);

/* Could a row be read: is it an array of that length, a record of that type, as it still is? */
extern bool feature_reads(const FeatureReader *reader, Datum row);

/* Reads a row into values[reader->n]; texts are good as long as the row (detoasted where the
 * current context says) and the reader. */
extern void feature_read(FeatureReader *reader, Datum row, FeatureValue *values);

/* The same of an array without NULLs: its numbers where they lie.  NULL if there are NULLs:
 * then feature_read().  NaN and infinities are found by whoever copies them: feature_refuse(). */
extern const double *feature_numbers(FeatureReader *reader, ArrayType *array);

/* 22023 if one of a row's numbers is NaN or infinite. */
extern void feature_refuse(const FeatureReader *reader, const double *numbers);

/* A row of values as raw doubles of a model: texts to levels. */
extern void feature_raw(const ChurnModel *model, const FeatureValue *values, double *raw);

/* The number of a level, or LEVEL_OTHER; 0 of any text where none is told from others. */
extern double feature_level(const ChurnFeature *feature, const char *text, int length);

#endif							/* RETENTION_CHURN_FEATURES_H */
