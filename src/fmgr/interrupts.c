/*
 * interrupts.c
 *	  How computations that know nothing of a server can be cancelled.
 *
 * Promises, never: see interrupts.h.
 */
#include "retention.h"

#include "fmgr/interrupts.h"
#include "miscadmin.h"

void
poll_interrupts(void)
{
	CHECK_FOR_INTERRUPTS();
}
