/*
 * target.c
 *	  libFuzzer's target: bytes from anywhere, read as a stored type.
 *
 * RETENTION_FUZZ_TYPE says which.  The bytes go to the type's recv function, as a
 * client's would, in a piece of memory just as long as they are.  What it takes must
 * be a value in all respects that need no server: sent and read again it has the same
 * bytes, so it has as text; it equals itself and has one hash; it can be written as
 * JSON; rolled up alone it is itself, and with others a value, however it was bracketed.
 *
 * RETENTION_FUZZ_SEEDS=1: all inputs are values that a server wrote; none is refused.
 *
 * Promises: an error of a class that tells a client what is wrong with the bytes is no
 * finding, nor one that tells why values cannot be added up; any other error is, as is
 * any error on the way of a value that was taken.
 */
#include "postgres.h"

#include <signal.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "server.h"

typedef struct FuzzType
{
	const char *name;
	PGFunction	recv;
	PGFunction	send;
	PGFunction	in;
	PGFunction	out;
	PGFunction	eq;
	PGFunction	hash;
	PGFunction	hash_extended;
	PGFunction	to_jsonb;
	PGFunction	rollup;			/* NULL: values of this type do not add up */
	PGFunction	rollup_final;
} FuzzType;

#define DECLARE(type) \
	extern Datum type##_recv(PG_FUNCTION_ARGS); \
	extern Datum type##_send(PG_FUNCTION_ARGS); \
	extern Datum type##_in(PG_FUNCTION_ARGS); \
	extern Datum type##_out(PG_FUNCTION_ARGS); \
	extern Datum type##_eq(PG_FUNCTION_ARGS); \
	extern Datum type##_hash(PG_FUNCTION_ARGS); \
	extern Datum type##_hash_extended(PG_FUNCTION_ARGS); \
	extern Datum type##_to_jsonb(PG_FUNCTION_ARGS);

#define DECLARE_SUM(type) \
	DECLARE(type) \
	extern Datum type##_rollup(PG_FUNCTION_ARGS); \
	extern Datum type##_rollup_final(PG_FUNCTION_ARGS);

#define COMMON(type) \
	#type, type##_recv, type##_send, type##_in, type##_out, type##_eq, type##_hash, type##_hash_extended, \
	type##_to_jsonb

#define DEFINE(type)		{COMMON(type), NULL, NULL},
#define DEFINE_SUM(type)	{COMMON(type), type##_rollup, type##_rollup_final},

#define TYPES(one, sum) \
	sum(cohort_table) sum(customer_history) one(clv_model) sum(clv_data) sum(migration_matrix) \
	sum(survival_table) sum(score_table) one(churn_model)

TYPES(DECLARE, DECLARE_SUM)

static const FuzzType types[] = {TYPES(DEFINE, DEFINE_SUM)};
static bool seeds = false;
static const FuzzType *type = NULL;

/* An argument of 0 is NULL. */
static Datum
call(PGFunction function, int nargs, Datum a, Datum b)
{
	LOCAL_FCINFO(fcinfo, 2);
	FmgrInfo	flinfo;

	memset(&flinfo, 0, sizeof(flinfo));
	flinfo.fn_mcxt = CurrentMemoryContext;
	InitFunctionCallInfoData(*fcinfo, &flinfo, nargs, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = a;
	fcinfo->args[0].isnull = a == 0;
	fcinfo->args[1].value = b;
	fcinfo->args[1].isnull = b == 0;
	return function(fcinfo);
}

static struct varlena *
receive(const char *data, int len)
{
	StringInfoData buf;

	/* a byte beyond the end is a finding */
	buf.data = palloc(len > 0 ? len : 1);
	memcpy(buf.data, data, len);
	buf.len = buf.maxlen = len;
	buf.cursor = 0;
	return (struct varlena *) DatumGetPointer(call(type->recv, 1, PointerGetDatum(&buf), 0));
}

static void
must(bool holds, const char *what)
{
	if (!holds)
	{
		fprintf(stderr, "FINDING: a %s that was taken %s\n", type->name, what);
		abort();
	}
}

static bool
same_bytes(struct varlena *a, struct varlena *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static void
survive(struct varlena *value)
{
	Datum		given = PointerGetDatum(value);
	struct varlena *sent = (struct varlena *) DatumGetPointer(call(type->send, 1, given, 0));
	struct varlena *again = receive(VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
	struct varlena *twice = (struct varlena *) DatumGetPointer(call(type->send, 1, PointerGetDatum(again), 0));
	char	   *text = DatumGetCString(call(type->out, 1, given, 0));
	struct varlena *read = (struct varlena *) DatumGetPointer(call(type->in, 1, CStringGetDatum(text), 0));

	must(same_bytes(sent, again) && same_bytes(sent, twice), "is another one when it has been sent");
	must(same_bytes(sent, read), "is another one when it has been text");
	must(DatumGetBool(call(type->eq, 2, given, PointerGetDatum(again))), "does not equal itself");
	must(DatumGetInt32(call(type->hash, 1, given, 0)) == DatumGetInt32(call(type->hash, 1, PointerGetDatum(again), 0)),
		 "has two hashes");
	must(call(type->hash_extended, 2, given, Int64GetDatum(7)) ==
		 call(type->hash_extended, 2, PointerGetDatum(read), Int64GetDatum(7)), "has two extended hashes");
	call(type->to_jsonb, 1, given, 0);
}

static struct varlena *
final(Datum state)
{
	return (struct varlena *) DatumGetPointer(call(type->rollup_final, 1, state, 0));
}

/* What an aggregate would do, once the value is known to be one. */
static void
add_up(struct varlena *value)
{
	Datum		given = PointerGetDatum(value);
	struct varlena *sent = (struct varlena *) DatumGetPointer(call(type->send, 1, given, 0));
	struct varlena *one = final(call(type->rollup, 2, 0, given));
	struct varlena *two;
	struct varlena *left;
	struct varlena *right;
	struct varlena *at_once;
	Datum		state;

	must(same_bytes(sent, one), "is another one when it has been rolled up alone");
	two = final(call(type->rollup, 2, call(type->rollup, 2, 0, given), given));
	left = final(call(type->rollup, 2, call(type->rollup, 2, 0, PointerGetDatum(two)), given));
	right = final(call(type->rollup, 2, call(type->rollup, 2, 0, given), PointerGetDatum(two)));
	state = call(type->rollup, 2, call(type->rollup, 2, 0, given), given);
	at_once = final(call(type->rollup, 2, state, given));
	must(same_bytes(left, right) && same_bytes(left, at_once), "adds up to other values in another order");
	must(same_bytes(receive(VARDATA_ANY(left), VARSIZE_ANY_EXHDR(left)), left), "adds up to no value");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("RETENTION_FUZZ_TYPE");

	for (size_t i = 0; name != NULL && i < lengthof(types); i++)
		if (strcmp(types[i].name, name) == 0)
			type = &types[i];
	seeds = getenv("RETENTION_FUZZ_SEEDS") != NULL;
	if (type == NULL)
	{
		fprintf(stderr, "RETENTION_FUZZ_TYPE must be one of the stored types\n");
		exit(2);
	}
	return 0;
}

static void
finding(void)
{
	fprintf(stderr, "FINDING: %s: %s\n", type->name, server_error());
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sigjmp_buf	caught;
	struct varlena *volatile value = NULL;
	volatile bool taken = false;

	server_begin(&caught);
	if (sigsetjmp(caught, 0) == 0)
	{
		value = receive((const char *) data, (int) size);
		survive(value);
		taken = true;
		if (type->rollup != NULL)
			add_up(value);
	}
	else if (!taken)
	{
		must(value == NULL, server_error());
		/* the fuzzer itself tries next to nothing first */
		if ((seeds && size > 1) || !server_refused())
			finding();
	}
	else if (!server_explained())
		finding();
	server_end();
	return 0;
}
