/*
 * tap.h
 *	  The little that a test in plain C needs: assertions that are printed as TAP.
 *
 * One line an assertion; a failed one is followed by what was expected.
 * Promises: tap_done() says how many there were, so that a test that stops
 * short is seen.
 */
#ifndef TEST_TAP_H
#define TEST_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

extern bool tap_ok(bool passed, const char *format,...) __attribute__((format(printf, 2, 3)));

/*
 * got is expected, but for a relative error of "tolerance": infinities and NaN are
 * equal to themselves alone.  Where expected is 0, so must got be, to the tolerance.
 */
extern bool tap_near(double got, double expected, double tolerance, const char *format,...)
			__attribute__((format(printf, 4, 5)));

/* The same for whole numbers. */
extern bool tap_is(int64_t got, int64_t expected, const char *format,...) __attribute__((format(printf, 3, 4)));

extern double tap_error(double got, double expected);

/* Prints the plan; what main() returns. */
extern int	tap_done(void);

/* ---------- numbers that look random: the same ones in every run ---------- */

extern uint64_t random_word(uint64_t *state);

/* (0, 1) */
extern double random_uniform(uint64_t *state);

/* 0 .. n - 1 */
extern int	random_below(uint64_t *state, int n);

/* for what may be cancelled */
extern long polls;
extern void poll_nothing(void);

#endif							/* TEST_TAP_H */
