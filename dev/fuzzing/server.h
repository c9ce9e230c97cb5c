/*
 * server.h
 *	  What stands for the server where a target runs without one.
 */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include <setjmp.h>

/* Errors go to "caught"; all memory taken until server_end() is given back there. */
extern void server_begin(sigjmp_buf * caught);
extern void server_end(void);

/*
 * The message of the last error; and did it tell a client what is wrong with their
 * bytes? or with what they ask for, as it tells of data that do not suit, or are too large?
 */
extern const char *server_error(void);
extern bool server_refused(void);
extern bool server_explained(void);

#endif							/* FUZZ_SERVER_H */
