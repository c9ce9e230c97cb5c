/*
 * arena.c
 *	  Small variable-sized pieces addressed by 40-bit offsets.
 *
 * Chunks of 1 MB, allocated one after the other; the first starts at 512 bytes
 * and doubles, so that a group of three customers costs little.  A piece never
 * crosses a chunk, except that one larger than a chunk gets a run of chunks of
 * its own.  Offset 0 is reserved to mean "none".
 */
#include "customer/arena.h"

#include "utils/memutils.h"

#define FIRST_UNITS 64

void
arena_init(Arena *arena, MemoryContext context)
{
	memset(arena, 0, sizeof(Arena));
	arena->context = context;
}

int
arena_class_for(uint64 units)
{
	int			class = 0;

	while (class < ARENA_CLASSES && arena_class_units(class) < units)
	{
		/* the class sizes are uint32: 2^31 units are 16 GB for one customer */
		if (class >= 59)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("one customer has too many distinct times")));
		class++;
	}
	return class;
}

static void
add_chunks(Arena *arena, int n, Size bytes)
{
	char	   *start;

	if (arena->nchunks + n > arena->maxchunks)
	{
		int			max = Max(8, Max(arena->nchunks + n, arena->maxchunks * 2));

		if (arena->chunks == NULL)
		{
			arena->chunks = MemoryContextAlloc(arena->context, sizeof(char *) * max);
			arena->owned = MemoryContextAlloc(arena->context, sizeof(bool) * max);
		}
		else
		{
			arena->chunks = repalloc(arena->chunks, sizeof(char *) * max);
			arena->owned = repalloc(arena->owned, sizeof(bool) * max);
		}
		arena->maxchunks = max;
	}
	start = MemoryContextAllocHuge(arena->context, bytes);
	for (int i = 0; i < n; i++)
	{
		arena->owned[arena->nchunks] = i == 0;
		arena->chunks[arena->nchunks++] = start + (Size) i * ARENA_CHUNK_UNITS * ARENA_UNIT;
	}
}

void
arena_clear(Arena *arena)
{
	for (int i = 0; i < arena->nchunks; i++)
		if (arena->owned[i])
			pfree(arena->chunks[i]);
	if (arena->chunks != NULL)
	{
		pfree(arena->chunks);
		pfree(arena->owned);
	}
	if (arena->free != NULL)
		pfree(arena->free);
	arena_init(arena, arena->context);
}

uint64
arena_alloc(Arena *arena, uint64 units)
{
	uint64		limit;
	uint64		offset;

	if (arena->nchunks == 0)
	{
		add_chunks(arena, 1, FIRST_UNITS * ARENA_UNIT);
		arena->first_units = FIRST_UNITS;
		arena->used = 1;		/* offset 0 means "none" */
	}

	if (units > ARENA_CHUNK_UNITS)
	{
		int			n = (int) ((units + ARENA_CHUNK_UNITS - 1) >> ARENA_CHUNK_BITS);

		offset = (uint64) arena->nchunks << ARENA_CHUNK_BITS;
		add_chunks(arena, n, (Size) n * ARENA_CHUNK_UNITS * ARENA_UNIT);
		/* what is left of the run stays unused */
		arena->used = ARENA_CHUNK_UNITS;
		return offset;
	}

	limit = arena->nchunks == 1 ? arena->first_units : ARENA_CHUNK_UNITS;
	while (arena->nchunks == 1 && limit < ARENA_CHUNK_UNITS && arena->used + units > limit)
	{
		limit *= 2;
		arena->chunks[0] = repalloc(arena->chunks[0], limit * ARENA_UNIT);
		arena->first_units = (uint32) limit;
	}
	if (arena->used + units > limit)
	{
		add_chunks(arena, 1, (Size) ARENA_CHUNK_UNITS * ARENA_UNIT);
		arena->used = 0;
	}
	offset = ((uint64) (arena->nchunks - 1) << ARENA_CHUNK_BITS) + arena->used;
	arena->used += (uint32) units;
	if (offset >> ARENA_OFFSET_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too much memory for one aggregate")));
	return offset;
}

uint64
arena_alloc_class(Arena *arena, int class)
{
	uint64		offset = arena->free != NULL ? arena->free[class] : 0;

	if (offset != 0)
	{
		memcpy(&arena->free[class], arena_pointer(arena, offset), sizeof(uint64));
		return offset;
	}
	return arena_alloc(arena, arena_class_units(class));
}

void
arena_free_class(Arena *arena, uint64 offset, int class)
{
	if (arena->free == NULL)
		arena->free = MemoryContextAllocZero(arena->context, sizeof(uint64) * ARENA_CLASSES);
	memcpy(arena_pointer(arena, offset), &arena->free[class], sizeof(uint64));
	arena->free[class] = offset;
}
