/*
 * score_keys.c
 *	  Scores on their way to a metric: the keys of rows.
 *
 * Promises: see score_keys.h.
 */
#include "metrics/score_keys.h"

#define FIRST_ROOM		4
#define DOUBLE_UNTIL	((Size) 1 << 20)	/* rows: larger arrays grow by half */

pg_noinline void
score_keys_enlarge(ScoreKeys *keys, int label, Size n)
{
	ScoreArray *array = &keys->of[label];
	Size		row = sizeof(uint64) * keys->width;
	Size		room = array->room < DOUBLE_UNTIL ? array->room * 2 : array->room / 2 * 3;

	room = Max(Max(room, n), FIRST_ROOM);
	if (room > MaxAllocHugeSize / row)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many scores")));
	if (array->keys == NULL)
		array->keys = MemoryContextAllocHuge(keys->context, row * room);
	else
		array->keys = repalloc_huge(array->keys, row * room);
	array->room = room;
}

/* "from" need not be aligned. */
static void
score_keys_append(ScoreKeys *keys, int label, const void *from, Size n)
{
	ScoreArray *array = &keys->of[label];

	if (n == 0)
		return;
	if (n > array->room - array->n)
		score_keys_enlarge(keys, label, array->n + n);
	memcpy(array->keys + keys->width * array->n, from, sizeof(uint64) * keys->width * n);
	array->n += n;
}

void
score_keys_merge(ScoreKeys *keys, const ScoreKeys *more)
{
	for (int i = 0; i < 2; i++)
		score_keys_append(keys, i, more->of[i].keys, more->of[i].n);
}

bytea *
score_keys_serialize(const ScoreKeys *keys, const void *head, Size size)
{
	Size		n[2] = {keys->of[0].n, keys->of[1].n};
	Size		row = sizeof(uint64) * keys->width;
	Size		total = VARHDRSZ + size + sizeof(n) + row * (n[0] + n[1]);
	bytea	   *bytes;
	char	   *to;

	if (total > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many scores for a parallel plan"),
				 errhint("Set max_parallel_workers_per_gather to 0.")));
	bytes = palloc(total);
	SET_VARSIZE(bytes, total);
	to = VARDATA(bytes);
	if (size > 0)
		memcpy(to, head, size);
	to += size;
	memcpy(to, n, sizeof(n));
	to += sizeof(n);
	for (int i = 0; i < 2; i++)
	{
		if (n[i] > 0)
			memcpy(to, keys->of[i].keys, row * n[i]);
		to += row * n[i];
	}
	return bytes;
}

void
score_keys_deserialize(ScoreKeys *keys, const bytea *bytes, void *head, Size size)
{
	const char *from = VARDATA_ANY(bytes);
	Size		n[2];

	Assert(VARSIZE_ANY_EXHDR(bytes) >= size + sizeof(n));
	if (size > 0)
		memcpy(head, from, size);
	from += size;
	memcpy(n, from, sizeof(n));
	from += sizeof(n);
	for (int i = 0; i < 2; i++)
	{
		score_keys_append(keys, i, from, n[i]);
		from += sizeof(uint64) * keys->width * n[i];
	}
}
