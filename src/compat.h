/*
 * compat.h
 *	  The only place that asks which PostgreSQL major this is built for.
 *
 * Every conditional states its reason.  Nothing else in the tree may test
 * PG_VERSION_NUM.  Supported majors: 15 to 19.
 */
#ifndef RETENTION_COMPAT_H
#define RETENTION_COMPAT_H

/*
 * Everything is hidden (-fvisibility=hidden in the Makefile) but what the
 * server looks up by name.  15 leaves PGDLLEXPORT empty where it is not
 * Windows, and does not put it on the functions themselves; 16 does both.
 */
#if !defined(PGDLLEXPORT) && defined(__GNUC__) && !defined(_WIN32)
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

#include "postgres.h"
#include "fmgr.h"

#if PG_VERSION_NUM < 160000
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
	extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
	extern PGDLLEXPORT const Pg_finfo_record *CppConcat(pg_finfo_, funcname) (void); \
	const Pg_finfo_record * \
	CppConcat(pg_finfo_, funcname) (void) \
	{ \
		static const Pg_finfo_record my_finfo = {1}; \
		return &my_finfo; \
	} \
	extern int	no_such_variable
#endif

/* 16 moved the varlena macros out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 lets a module state its name and version; older servers know the bare magic. */
#if PG_VERSION_NUM >= 180000
#define RETENTION_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "retention", .version = RETENTION_VERSION)
#else
#define RETENTION_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* 18 puts this before a declaration; older servers have pg_attribute_noreturn() behind it. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 17 gave intervals infinities; before, every interval was finite. */
#if PG_VERSION_NUM >= 170000
#define RETENTION_INTERVAL_IS_INFINITE(i) INTERVAL_NOT_FINITE(i)
#else
#define RETENTION_INTERVAL_IS_INFINITE(i) false
#endif

/* 18 changed the base64 helpers from char to uint8 on the binary side. */
#if PG_VERSION_NUM >= 180000
#define RETENTION_B64_BINARY(p) ((uint8 *) (p))
#else
#define RETENTION_B64_BINARY(p) ((char *) (p))
#endif

/* 16 lets the caller of tuplesort_getdatum() leave the copying out; before, it always copies. */
#if PG_VERSION_NUM >= 160000
#define RETENTION_TUPLESORT_GETDATUM(state, value, isnull) \
	tuplesort_getdatum(state, true, true, value, isnull, NULL)
#else
#define RETENTION_TUPLESORT_GETDATUM(state, value, isnull) \
	tuplesort_getdatum(state, true, value, isnull, NULL)
#endif

/*
 * 16 gave input functions soft errors (COPY's and pg_input_is_valid's), with
 * an escontext in the call; before, every input error is a hard one.
 */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define RETENTION_ESCONTEXT(fcinfo) ((fcinfo)->context)
#define retention_ereturn(escontext, value, ...) \
	ereturn(escontext, value, __VA_ARGS__)
#else
#define RETENTION_ESCONTEXT(fcinfo) NULL
#define retention_ereturn(escontext, value, ...) \
	do { (void) (escontext); ereport(ERROR, __VA_ARGS__); return value; } while (0)
#endif

/* 16 made DecodeDateTime() say more of what is wrong. */
#if PG_VERSION_NUM >= 160000
#define RETENTION_DECODE_DATETIME(field, type, n, dtype, tm, fsec, tz) \
	DecodeDateTime(field, type, n, dtype, tm, fsec, tz, &(DateTimeErrorExtra) {0})
#else
#define RETENTION_DECODE_DATETIME(field, type, n, dtype, tm, fsec, tz) \
	DecodeDateTime(field, type, n, dtype, tm, fsec, tz)
#endif

#endif							/* RETENTION_COMPAT_H */
