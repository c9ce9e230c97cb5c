/*
 * state_transport.h
 *	  Internal states of aggregates on their way between processes.
 *
 * A large state travels as its bytes, which deserialize leaves where they lie,
 * as a StateImage, and combine reads from there: so no state is built twice.  A
 * plan that does not serialize hands combine the other process's state itself;
 * the two are told apart by the number that both begin with.
 *
 * Promises: the second state of combine stays as it was, and the executor's; no
 * memory of it is kept.
 * Never: can be called but by the executor, for an aggregate.
 */
#ifndef RETENTION_STATE_TRANSPORT_H
#define RETENTION_STATE_TRANSPORT_H

#include "retention.h"
#include "fmgr/arguments.h"

/* The bytes of a state, where they lie. */
typedef struct StateImage
{
	int			magic;			/* STATE_IMAGE_MAGIC */
	const char *data;
	Size		len;
} StateImage;

#define STATE_IMAGE_MAGIC	0x52534d47

static inline StateImage
state_image_of(const bytea *bytes)
{
	StateImage	image;

	image.magic = STATE_IMAGE_MAGIC;
	image.data = VARDATA_ANY(bytes);
	image.len = VARSIZE_ANY_EXHDR(bytes);
	return image;
}

/* A state that may be none, as a transition or combine function returns it. */
static inline Datum
state_or_null(FunctionCallInfo fcinfo, void *state)
{
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/*
 * SQL-callable prefix_combine() of an aggregate, by
 *		State *merge(State *state, State *more, MemoryContext context)
 * whose state may be NULL: then it makes one in the context.
 */
#define STATE_COMBINE(prefix, State, aggregate, merge) \
	PG_FUNCTION_INFO_V1(prefix##_combine); \
	Datum \
	prefix##_combine(PG_FUNCTION_ARGS) \
	{ \
		MemoryContext context = require_aggregate(fcinfo, aggregate); \
		State	   *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0); \
		State	   *more = PG_ARGISNULL(1) ? NULL : (State *) PG_GETARG_POINTER(1); \
	\
		if (more != NULL) \
			state = merge(state, more, context); \
		return state_or_null(fcinfo, state); \
	} \
	extern int	no_such_variable

/*
 * SQL-callable prefix_serialize(), _deserialize() and _combine() of an aggregate
 * whose State begins with the int "state_magic", by
 *		bytea *serialize(State *state)
 *		void merge(State **state, Shared **shared, MemoryContext context,
 *				   MemoryContext query_context, const StateImage *image)
 * where *state may be NULL, and *shared is what the states of a call site share,
 * which lives in its fn_extra.
 */
#define STATE_TRANSPORT(prefix, State, Shared, aggregate, state_magic, serialize, merge) \
	PG_FUNCTION_INFO_V1(prefix##_serialize); \
	Datum \
	prefix##_serialize(PG_FUNCTION_ARGS) \
	{ \
		require_aggregate(fcinfo, aggregate); \
		PG_RETURN_BYTEA_P(serialize((State *) PG_GETARG_POINTER(0))); \
	} \
	\
	PG_FUNCTION_INFO_V1(prefix##_deserialize); \
	Datum \
	prefix##_deserialize(PG_FUNCTION_ARGS) \
	{ \
		StateImage *image; \
	\
		require_aggregate(fcinfo, aggregate); \
		image = palloc(sizeof(StateImage)); \
		*image = state_image_of(PG_GETARG_BYTEA_PP(0)); \
		PG_RETURN_POINTER(image); \
	} \
	\
	PG_FUNCTION_INFO_V1(prefix##_combine); \
	Datum \
	prefix##_combine(PG_FUNCTION_ARGS) \
	{ \
		MemoryContext context = require_aggregate(fcinfo, aggregate); \
		State	   *state = PG_ARGISNULL(0) ? NULL : (State *) PG_GETARG_POINTER(0); \
		Shared	   *shared = fcinfo->flinfo->fn_extra; \
		StateImage	image; \
	\
		if (PG_ARGISNULL(1)) \
			return state_or_null(fcinfo, state); \
		if (*(int *) PG_GETARG_POINTER(1) == (state_magic)) \
			image = state_image_of(serialize((State *) PG_GETARG_POINTER(1))); \
		else \
			image = *(StateImage *) PG_GETARG_POINTER(1); \
		merge(&state, &shared, context, fcinfo->flinfo->fn_mcxt, &image); \
		fcinfo->flinfo->fn_extra = shared; \
		PG_RETURN_POINTER(state); \
	} \
	extern int	no_such_variable

#endif							/* RETENTION_STATE_TRANSPORT_H */
