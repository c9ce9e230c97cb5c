/*
 * arena.h
 *	  Small variable-sized pieces addressed by 40-bit offsets.
 *
 * One million customers each own a short list or a key of a few dozen bytes.
 * palloc would add a header to each and round it up to a power of two; this
 * adds nothing and rounds up by a third at most.  Offsets stay valid when the
 * arena grows; pointers into it do until the next allocation.
 *
 * Ownership: chunks live in the memory context given at creation.
 * Never: gives a single piece back to that context.
 */
#ifndef RETENTION_ARENA_H
#define RETENTION_ARENA_H

#include "retention.h"

/* Everything is measured in units of 8 bytes, and aligned to them. */
#define ARENA_UNIT			8
#define ARENA_CHUNK_BITS	17	/* 1 MB */
#define ARENA_CHUNK_UNITS	(1 << ARENA_CHUNK_BITS)
#define ARENA_OFFSET_BITS	40
#define ARENA_CLASSES		72

typedef struct Arena
{
	MemoryContext context;
	char	  **chunks;			/* start of each run of ARENA_CHUNK_UNITS */
	bool	   *owned;			/* the chunk was allocated there, not as part of a run */
	int			nchunks;
	int			maxchunks;
	uint32		first_units;	/* size of chunk 0, which grows up to a full one */
	uint32		used;			/* units used of the last chunk */
	uint64	   *free;			/* heads of the free lists, 0 = none; NULL before the first */
} Arena;

extern void arena_init(Arena *arena, MemoryContext context);

/* Frees everything; the arena can be used again. */
extern void arena_clear(Arena *arena);

/* Sizes come in classes: 2, 3, 4, 6, 8, 12, 16 ... units. */
static inline uint32
arena_class_units(int class)
{
	return (uint32) ((class & 1) ? 3 : 2) << (class >> 1);
}

/* Smallest class that holds so many units. */
extern int	arena_class_for(uint64 units);

/* Allocate a piece of a class, or of an exact size that is never freed. */
extern uint64 arena_alloc_class(Arena *arena, int class);
extern uint64 arena_alloc(Arena *arena, uint64 units);
extern void arena_free_class(Arena *arena, uint64 offset, int class);

static inline void *
arena_pointer(const Arena *arena, uint64 offset)
{
	return arena->chunks[offset >> ARENA_CHUNK_BITS] +
		(offset & (ARENA_CHUNK_UNITS - 1)) * ARENA_UNIT;
}

#endif							/* RETENTION_ARENA_H */
