/*
 * interrupts.h
 *	  How computations that know nothing of a server can be cancelled.
 *
 * math/ and models/ take a function to call every few thousand steps; this is
 * the one to pass.
 *
 * Promises: returns, or raises the error of a query that was cancelled.
 * Never: is called while something is held that only its holder gives back.
 */
#ifndef RETENTION_INTERRUPTS_H
#define RETENTION_INTERRUPTS_H

extern void poll_interrupts(void);

#endif							/* RETENTION_INTERRUPTS_H */
