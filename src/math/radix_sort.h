/*
 * radix_sort.h
 *	  Sorting of many unsigned words, and of pairs of words.
 *
 * Least significant digit first, a byte at a time, leaving out digits that all
 * rows agree in (Knuth, The Art of Computer Programming 3, 5.2.5).  What is in
 * order already costs one look.
 *
 * Plain C, no PostgreSQL header.
 * Promises: time in proportion to n; scratch as large as the rows and no more
 * memory; poll is called every few hundred thousand rows, and may not return.
 * Never: allocates, compares.
 */
#ifndef RETENTION_RADIX_SORT_H
#define RETENTION_RADIX_SORT_H

#include <stddef.h>
#include <stdint.h>

/* n words, ascending; scratch of n words */
extern void radix_sort_words(uint64_t *words, uint64_t *scratch, size_t n, void (*poll) (void));

/* n pairs of words, ascending by the first, then the second; scratch of 2 n words */
extern void radix_sort_pairs(uint64_t *pairs, uint64_t *scratch, size_t n, void (*poll) (void));

#endif							/* RETENTION_RADIX_SORT_H */
