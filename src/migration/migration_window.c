/*
 * migration_window.c
 *	  SQL-callable: migration(segment) OVER (PARTITION BY customer ORDER BY
 *	  period): where a customer was before, and how long it has been here.
 *
 * Rows follow each other as the window orders them: each is one period.
 *
 * Promises: one step a row, and memory for one segment a partition, whatever
 * the frame.
 * Never: looks at a row twice.
 */
#include "migration/migration.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "value/label_text.h"
#include "windowapi.h"

/* The row before, in the partition's memory. */
typedef struct LastRow
{
	bool		known;			/* it was in a segment */
	int32		periods;		/* in that segment, up to that row */
	Size		len;
	Size		room;
	char	   *segment;
} LastRow;

/* What all partitions share. */
typedef struct StepQuery
{
	TupleDesc	desc;
	bool		is_text;
	bool		folds;			/* citext, which comes as text */
	LabelText  *label;
} StepQuery;

static StepQuery *
migration_window_begin_query(FunctionCallInfo fcinfo)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	StepQuery  *query = palloc0(sizeof(StepQuery));
	Oid			type = getBaseType(get_fn_expr_argtype(fcinfo->flinfo, 0));

	if (get_call_result_type(fcinfo, NULL, &query->desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "migration() must return a composite type");
	query->desc = BlessTupleDesc(CreateTupleDescCopy(query->desc));
	query->is_text = type == TEXTOID;
	if (query->is_text && fcinfo->flinfo->fn_expr != NULL && IsA(fcinfo->flinfo->fn_expr, WindowFunc))
		query->folds = migration_argument_folds(linitial(((WindowFunc *) fcinfo->flinfo->fn_expr)->args));
	else
		query->label = label_text_create(type, PG_GET_COLLATION(), "segment", fcinfo->flinfo->fn_mcxt);
	fcinfo->flinfo->fn_extra = query;
	MemoryContextSwitchTo(old);
	return query;
}

/* The segment's name as it is shown. */
static const char *
segment_name(StepQuery *query, Datum value, Size *len)
{
	const char *name;
	int			bytes;

	if (query->is_text)
	{
		text	   *segment = DatumGetTextPP(value);

		*len = VARSIZE_ANY_EXHDR(segment);
		return VARDATA_ANY(segment);
	}
	name = label_text(query->label, value, &bytes);
	*len = bytes;
	return name;
}

static void
remember(LastRow *last, const char *name, Size len)
{
	/* also for the empty text, which has a place */
	if (len > last->room || last->segment == NULL)
	{
		Size		room = Max(len, 64);

		if (last->segment != NULL)
			pfree(last->segment);
		last->segment = MemoryContextAlloc(GetMemoryChunkContext(last), room);
		last->room = room;
	}
	memcpy(last->segment, name, len);
	last->len = len;
}

/* Is it the segment of the row before? */
static bool
is_same(const StepQuery *query, const LastRow *last, const char *name, Size len)
{
	char	   *folded;
	char	   *other;
	bool		same;

	if (last->len == len && memcmp(last->segment, name, len) == 0)
		return true;
	if (!query->folds)
		return false;
	folded = migration_label_fold(name, (int) len);
	other = migration_label_fold(last->segment, (int) last->len);
	same = strcmp(folded, other) == 0;
	pfree(folded);
	pfree(other);
	return same;
}

PG_FUNCTION_INFO_V1(migration_step);
Datum
migration_step(PG_FUNCTION_ARGS)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	LastRow    *last = WinGetPartitionLocalMemory(winobj, sizeof(LastRow));
	StepQuery  *query = fcinfo->flinfo->fn_extra;
	const char *name = NULL;
	Size		len = 0;
	Datum		values[3] = {0};
	bool		nulls[3];
	bool		isnull;
	bool		same;
	Datum		segment;

	if (query == NULL)
		query = migration_window_begin_query(fcinfo);
	WinSetMarkPosition(winobj, WinGetCurrentPosition(winobj));
	segment = WinGetFuncArgCurrent(winobj, 0, &isnull);
	if (!isnull)
		name = segment_name(query, segment, &len);
	same = !isnull && last->known && is_same(query, last, name, len);
	nulls[0] = !last->known;
	if (last->known)
		values[0] = PointerGetDatum(cstring_to_text_with_len(last->segment, (int) last->len));
	nulls[1] = isnull;
	last->periods = isnull ? 0 : same ? last->periods + 1 : 1;
	values[1] = Int32GetDatum(last->periods);
	nulls[2] = isnull || !last->known;
	values[2] = BoolGetDatum(!same);
	last->known = !isnull;
	if (!isnull && !same)
		remember(last, name, len);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(query->desc, values, nulls)));
}
