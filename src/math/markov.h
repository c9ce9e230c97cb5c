/*
 * markov.h
 *	  Finite Markov chains: classes, steady state, absorption, first passage,
 *	  powers.
 *
 * Plain C on arrays, no PostgreSQL header.  A chain is an n * n matrix of
 * probabilities, row by row.  A row of NaNs is an unknown one: nobody was seen
 * leaving that state.  Whatever can come by an unknown row is unknown too, and
 * the functions here say by which.
 *
 * Promises: nothing is subtracted from 1 that may be near to it.  What remains
 * in a state is known by what leaves it, as Grassmann, Taksar and Heyman do it
 * (1985, "Regenerative analysis and steady state distributions for Markov
 * chains", Operations Research 33), so that each result is right to nearly the
 * last digits of its own size, also where a chain hardly ever leaves a set of
 * states (O'Cinneide 1993, Numerische Mathematik 65).
 * Never: allocates; the caller gives the room.
 */
#ifndef RETENTION_MARKOV_H
#define RETENTION_MARKOV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Called now and then by what may take long; it may not come back. */
typedef void (*MarkovPoll) (void);

/* Why a number is not defined; from 0 on: because of this state's unknown row. */
#define MARKOV_DEFINED		(-1)
#define MARKOV_NEVER		(-2)	/* it cannot be reached */
#define MARKOV_UNCERTAIN	(-3)	/* it can be, and can be missed for ever */

/* ---------- who can reach whom ---------- */

/* Bit i of row j: i goes to j with a probability above 0. */
typedef struct MarkovGraph
{
	int			n;
	size_t		words;			/* in a row */
	uint64_t   *into;			/* n * words */
} MarkovGraph;

#define MARKOV_GRAPH_WORDS(n) (((size_t) (n) + 63) / 64)

/* "into" holds n * MARKOV_GRAPH_WORDS(n) */
extern void markov_graph(int n, const double *p, uint64_t *into, MarkovGraph *graph);

/*
 * Marks "target", and all states that can reach it without passing through
 * "avoid" (-1: no state; it may be where a path starts), as far as they are
 * still marked MARKOV_DEFINED.  stack: n.
 */
extern void markov_mark(const MarkovGraph *graph, int target, int avoid, int mark,
						int *marks, int *stack);

/* Of each state, the first unknown one that it can reach, or MARKOV_DEFINED. */
extern void markov_unknowns(const MarkovGraph *graph, const double *p, int *unknown, int *stack);

/*
 * Communicating classes (Tarjan 1972), numbered from 0 on by their first state;
 * returns how many.  work: 5 * n.
 */
extern int	markov_classes(int n, const double *p, int *class_of, int *work);

/* Does nothing lead out of it?  closed: one for each class. */
extern void markov_closed(int n, const double *p, const int *class_of, int classes, bool *closed);

/* Greatest common divisor of the lengths of all ways round; 0 without one.  work: 2 * n. */
extern int	markov_period(int n, const double *p, const int *class_of, int class_number, int *work);

/* ---------- absorption, visits, value ---------- */

/*
 * The system (I - discount * P) x = b over some of the states ("inside"),
 * eliminated.  What the others are worth is 0.
 */
typedef struct MarkovSystem
{
	int			size;			/* states inside */
	int		   *states;			/* which */
	double	   *q;				/* size * size: the elimination */
	double	   *leaving;		/* what left each when it was its turn */
} MarkovSystem;

/*
 * remainder is 1 - discount, exactly.  The caller has set states (n), q (n * n)
 * and leaving (n) to room.  False where a state leaves with no probability that
 * a double can hold.
 */
extern bool markov_system(int n, const double *p, const bool *inside, double discount,
						  double remainder, MarkovSystem *system, MarkovPoll poll);

/* x in place of b: size rows of "columns" numbers each */
extern void markov_solve(const MarkovSystem *system, int columns, double *b, MarkovPoll poll);

/*
 * Mean and variance of the periods until a chain has left the inside; for this
 * a system without discount.  Both n long, set for states inside only.
 */
extern void markov_periods(int n, const double *p, const MarkovSystem *system,
						   double *mean, double *variance, MarkovPoll poll);

/* ---------- the long run ---------- */

/*
 * The stationary distribution of a closed class; the rest of share is left as
 * it is.  q: n * n.  False where its probabilities differ by more than doubles
 * can hold.
 */
extern bool markov_stationary(int n, const double *p, const int *class_of, int class_number,
							  double *share, double *q, int *states, MarkovPoll poll);

/*
 * Mean periods until a state is entered for the first time, n * n; on the
 * diagonal until it is entered again.  Infinite where that is not certain.  All
 * n^2 in O(n^3): a half of the states is eliminated, and the rest of the work
 * is the same for the other half.
 */
extern void markov_first_passage(int n, const double *p, double *periods, double *work, MarkovPoll poll);

#define MARKOV_PASSAGE_WORK(n) (3 * (size_t) (n) * (size_t) (n) + 16 * (size_t) (n) + 16)

/*
 * Why the first passage to a target is not finite, of each state.  unknown: of
 * markov_unknowns(); work: 2 * n.
 */
extern void markov_passage_causes(const MarkovGraph *graph, const double *p, const int *unknown,
								  int target, int *causes, int *work);

/* ---------- some periods on ---------- */

/* P^k; rows that come by an unknown one are NaN.  work: n * n */
extern void markov_power(int n, const double *p, int64_t k, double *power, double *work, MarkovPoll poll);

/* The first unknown state within so many steps, or MARKOV_DEFINED.  work: 2 * n. */
extern int	markov_unknown_within(int n, const double *p, int from, int64_t steps, int *work);

/* next = now P; an unknown row counts only where somebody is in it. */
extern void markov_step(int n, const double *p, const double *now, double *next);

#endif							/* RETENTION_MARKOV_H */
