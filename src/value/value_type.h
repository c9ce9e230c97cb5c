/*
 * value_type.h
 *	  Input, output, equality and hashing of a value that is its own bytes.
 *
 * VALUE_IO(type, check, tidy, maker) defines the SQL-callable type_in, _out, _recv, _send,
 * _eq, _ne, _hash and _hash_extended of a varlena type.  check(data, length)
 * returns NULL if the bytes are a canonical value, else what is wrong with them.
 * tidy(value) is the canonical value of an aggregate's transition state, which
 * has the same type and may be what a distributed plan sends from node to node.
 * maker is the aggregate that makes such values, for a hint.
 *
 * Promises: text is the base64 of the bytes; nothing unchecked gets in.
 * Never: depends on a setting.
 */
#ifndef RETENTION_VALUE_TYPE_H
#define RETENTION_VALUE_TYPE_H

#include "retention.h"

typedef const char *(*ValueCheck) (const char *data, Size len);
typedef struct varlena *(*ValueTidy) (struct varlena *value);

extern Datum value_in(FunctionCallInfo fcinfo, const char *type, ValueCheck check,
					   const char *maker);
extern Datum value_out(FunctionCallInfo fcinfo, const char *type, ValueTidy tidy);
extern Datum value_recv(FunctionCallInfo fcinfo, const char *type, ValueCheck check);
extern Datum value_send(FunctionCallInfo fcinfo, ValueTidy tidy);
extern bool value_equal(FunctionCallInfo fcinfo, ValueTidy tidy);
extern Datum value_hash(FunctionCallInfo fcinfo, ValueTidy tidy);
extern Datum value_hash_extended(FunctionCallInfo fcinfo, ValueTidy tidy);

#define VALUE_IO(type, check, tidy, maker) \
	PG_FUNCTION_INFO_V1(type##_in); \
	Datum type##_in(PG_FUNCTION_ARGS) { return value_in(fcinfo, #type, check, maker); } \
	PG_FUNCTION_INFO_V1(type##_out); \
	Datum type##_out(PG_FUNCTION_ARGS) { return value_out(fcinfo, #type, tidy); } \
	PG_FUNCTION_INFO_V1(type##_recv); \
	Datum type##_recv(PG_FUNCTION_ARGS) { return value_recv(fcinfo, #type, check); } \
	PG_FUNCTION_INFO_V1(type##_send); \
	Datum type##_send(PG_FUNCTION_ARGS) { return value_send(fcinfo, tidy); } \
	PG_FUNCTION_INFO_V1(type##_eq); \
	Datum type##_eq(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(value_equal(fcinfo, tidy)); } \
	PG_FUNCTION_INFO_V1(type##_ne); \
	Datum type##_ne(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(!value_equal(fcinfo, tidy)); } \
	PG_FUNCTION_INFO_V1(type##_hash); \
	Datum type##_hash(PG_FUNCTION_ARGS) { return value_hash(fcinfo, tidy); } \
	PG_FUNCTION_INFO_V1(type##_hash_extended); \
	Datum type##_hash_extended(PG_FUNCTION_ARGS) { return value_hash_extended(fcinfo, tidy); }

#endif							/* RETENTION_VALUE_TYPE_H */
