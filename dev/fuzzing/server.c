/*
 * server.c
 *	  The few functions of the server that readers of stored types call.
 *
 * Every palloc is a malloc of its own, so that ASan sees the end of each. Memory
 * contexts are one, emptied after each input. Numerics and days are in server_types.c.
 * What is not here and not in libpgcommon has no address in the program: a
 * reader that begins to call it ends at address 0, and its function belongs here then.
 *
 * Never: more memory for one input than server_memory_max.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "server.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"

/* ---------- errors ---------- */

sigjmp_buf *PG_exception_stack = NULL;
ErrorContextCallback *error_context_stack = NULL;
volatile	sig_atomic_t InterruptPending = false;

static char message[1000];
static int	sqlstate;
static int	level;

void
server_begin(sigjmp_buf * caught)
{
	PG_exception_stack = caught;
	message[0] = '\0';
}

const char *
server_error(void)
{
	return message;
}

bool
server_refused(void)
{
	return sqlstate == ERRCODE_INVALID_BINARY_REPRESENTATION || sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

bool
server_explained(void)
{
	return ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_DATA_EXCEPTION ||
		ERRCODE_TO_CATEGORY(sqlstate) == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

bool
errstart(int elevel, const char *domain)
{
	level = elevel;
	sqlstate = ERRCODE_INTERNAL_ERROR;
	message[0] = '\0';
	return elevel >= ERROR;
}

bool
errstart_cold(int elevel, const char *domain)
{
	return errstart(elevel, domain);
}

void
errfinish(const char *filename, int lineno, const char *funcname)
{
	if (level >= ERROR)
		siglongjmp(*PG_exception_stack, 1);
}

int
errcode(int code)
{
	sqlstate = code;
	return 0;
}

static void
say(const char *fmt, va_list args)
{
	vsnprintf(message, sizeof(message), fmt, args);
}

int
errmsg(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	return 0;
}

int
errmsg_internal(const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	return 0;
}

int
errdetail(const char *fmt,...)
{
	return 0;
}

int
errdetail_internal(const char *fmt,...)
{
	return 0;
}

int
errhint(const char *fmt,...)
{
	return 0;
}

#if PG_VERSION_NUM >= 160000
/* no caller here takes soft errors */
bool
errsave_start(struct Node *context, const char *domain)
{
	return errstart(ERROR, domain);
}

void
errsave_finish(struct Node *context, const char *filename, int lineno, const char *funcname)
{
	errfinish(filename, lineno, funcname);
}
#endif

void
ExceptionalCondition(const char *conditionName,
#if PG_VERSION_NUM < 160000
					 const char *errorType,
#endif
					 const char *fileName, int lineNumber)
{
	fprintf(stderr, "FINDING: assertion %s failed at %s:%d\n", conditionName, fileName, lineNumber);
	abort();
}

void
ProcessInterrupts(void)
{
	InterruptPending = false;
}

void
check_stack_depth(void)
{
}

/* ---------- memory ---------- */

static const Size server_memory_max = (Size) 1 << 30;

typedef struct Chunk
{
	struct Chunk *next;
	struct Chunk *previous;
	Size		size;
	uint64		padding;		/* what follows is aligned as malloc's own */
} Chunk;

static Chunk chunks = {&chunks, &chunks};
static Size memory_taken;

/* never looked into */
static struct MemoryContextData the_context;
MemoryContext CurrentMemoryContext = &the_context;
MemoryContext TopMemoryContext = &the_context;
MemoryContext CacheMemoryContext = &the_context;

static void *
take(Size size, bool zero, Size most)
{
	Chunk	   *chunk;

	if (size > most)
		elog(ERROR, "invalid memory alloc request size %zu", size);
	if (memory_taken + size > server_memory_max)
	{
		fprintf(stderr, "FINDING: an input takes more than %zu bytes of memory\n", server_memory_max);
		abort();
	}
	chunk = malloc(sizeof(Chunk) + size);
	memset(chunk + 1, zero ? 0 : 0x7f, size);
	chunk->size = size;
	memory_taken += size;
	chunk->next = chunks.next;
	chunk->previous = &chunks;
	chunks.next->previous = chunk;
	chunks.next = chunk;
	return chunk + 1;
}

void
pfree(void *pointer)
{
	Chunk	   *chunk = (Chunk *) pointer - 1;

	chunk->next->previous = chunk->previous;
	chunk->previous->next = chunk->next;
	memory_taken -= chunk->size;
	free(chunk);
}

void
server_end(void)
{
	while (chunks.next != &chunks)
		pfree(chunks.next + 1);
}

static void *
retake(void *pointer, Size size, Size most)
{
	void	   *fresh = take(size, false, most);

	memcpy(fresh, pointer, Min(size, ((Chunk *) pointer - 1)->size));
	pfree(pointer);
	return fresh;
}

void *
palloc(Size size)
{
	return take(size, false, MaxAllocSize);
}

void *
palloc0(Size size)
{
	return take(size, true, MaxAllocSize);
}

void *
palloc_extended(Size size, int flags)
{
	return take(size, (flags & MCXT_ALLOC_ZERO) != 0, flags & MCXT_ALLOC_HUGE ? MaxAllocHugeSize : MaxAllocSize);
}

void *
repalloc(void *pointer, Size size)
{
	return retake(pointer, size, MaxAllocSize);
}

void *
repalloc_huge(void *pointer, Size size)
{
	return retake(pointer, size, MaxAllocHugeSize);
}

void *
MemoryContextAlloc(MemoryContext context, Size size)
{
	return palloc(size);
}

void *
MemoryContextAllocZero(MemoryContext context, Size size)
{
	return palloc0(size);
}

#if PG_VERSION_NUM < 170000
void *
MemoryContextAllocZeroAligned(MemoryContext context, Size size)
{
	return palloc0(size);
}
#endif

void *
MemoryContextAllocExtended(MemoryContext context, Size size, int flags)
{
	return palloc_extended(size, flags);
}

void *
MemoryContextAllocHuge(MemoryContext context, Size size)
{
	return take(size, false, MaxAllocHugeSize);
}

char *
pnstrdup(const char *in, Size len)
{
	char	   *copy;

	len = strnlen(in, len);
	copy = palloc(len + 1);
	memcpy(copy, in, len);
	copy[len] = '\0';
	return copy;
}

char *
pstrdup(const char *in)
{
	return pnstrdup(in, strlen(in));
}

/* All of one input is given back at once, at its end. */
MemoryContext
AllocSetContextCreateInternal(MemoryContext parent, const char *name, Size minContextSize,
							  Size initBlockSize, Size maxBlockSize)
{
	return &the_context;
}

void
MemoryContextDelete(MemoryContext context)
{
}

void
MemoryContextReset(MemoryContext context)
{
}

/* Nothing that is read here was ever toasted. */
struct varlena *
pg_detoast_datum(struct varlena *datum)
{
	return datum;
}

struct varlena *
pg_detoast_datum_packed(struct varlena *datum)
{
	return datum;
}

struct varlena *
pg_detoast_datum_copy(struct varlena *datum)
{
	struct varlena *copy = palloc(VARSIZE_ANY(datum));

	memcpy(copy, datum, VARSIZE_ANY(datum));
	return copy;
}

/* ---------- calls, messages, text ---------- */

int
AggCheckCallContext(FunctionCallInfo fcinfo, MemoryContext *aggcontext)
{
	if (aggcontext != NULL)
		*aggcontext = &the_context;
	return AGG_CONTEXT_AGGREGATE;
}

/* The text is what we wanted to see written. */
Datum
jsonb_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

void
escape_json(StringInfo buf, const char *str)
{
	appendStringInfoChar(buf, '"');
	for (; *str != '\0'; str++)
		if ((unsigned char) *str < ' ' || *str == '"' || *str == '\\')
			appendStringInfo(buf, "\\u%04x", *str);
		else
			appendStringInfoChar(buf, *str);
	appendStringInfoChar(buf, '"');
}

static Datum
direct_call(PGFunction func, int nargs, Datum a, Datum b, Datum c)
{
	LOCAL_FCINFO(fcinfo, 3);

	InitFunctionCallInfoData(*fcinfo, NULL, nargs, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = a;
	fcinfo->args[1].value = b;
	fcinfo->args[2].value = c;
	for (int i = 0; i < 3; i++)
		fcinfo->args[i].isnull = false;
	return func(fcinfo);
}

Datum
DirectFunctionCall1Coll(PGFunction func, Oid collation, Datum a)
{
	return direct_call(func, 1, a, 0, 0);
}

Datum
DirectFunctionCall2Coll(PGFunction func, Oid collation, Datum a, Datum b)
{
	return direct_call(func, 2, a, b, 0);
}

Datum
DirectFunctionCall3Coll(PGFunction func, Oid collation, Datum a, Datum b, Datum c)
{
	return direct_call(func, 3, a, b, c);
}

const char *
pq_getmsgbytes(StringInfo msg, int datalen)
{
	const char *bytes = msg->data + msg->cursor;

	if (datalen < 0 || datalen > msg->len - msg->cursor)
		ereport(ERROR, (errcode(ERRCODE_PROTOCOL_VIOLATION), errmsg("insufficient data left in message")));
	msg->cursor += datalen;
	return bytes;
}

unsigned int
pq_getmsgint(StringInfo msg, int b)
{
	unsigned int value = 0;

	for (int i = 0; i < b; i++)
		value = value << 8 | (unsigned char) *pq_getmsgbytes(msg, 1);
	return value;
}

void
pq_begintypsend(StringInfo buf)
{
	initStringInfo(buf);
	appendBinaryStringInfo(buf, "\0\0\0\0", 4);
}

void
pq_sendbytes(StringInfo buf, const
#if PG_VERSION_NUM >= 160000
			 void *data,
#else
			 char *data,
#endif
			 int datalen)
{
	appendBinaryStringInfo(buf, data, datalen);
}

bytea *
pq_endtypsend(StringInfo buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return (bytea *) buf->data;
}

int
GetDatabaseEncoding(void)
{
	return PG_UTF8;
}

bool
pg_verify_mbstr(int encoding, const char *mbstr, int len, bool noError)
{
	bool		valid = pg_encoding_verifymbstr(encoding, mbstr, len) == len;

	if (!valid && !noError)
		ereport(ERROR, (errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE), errmsg("invalid byte sequence")));
	return valid;
}

char *
pg_any_to_server(const char *s, int len, int encoding)
{
	return unconstify(char *, s);
}

char *
pg_server_to_any(const char *s, int len, int encoding)
{
	return unconstify(char *, s);
}
