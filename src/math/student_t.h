/*
 * student_t.h
 *	  Student's t.
 *
 * Plain C, no PostgreSQL header.
 * Promises: relative accuracy of 1e-12.
 * Never: allocates.
 */
#ifndef RETENTION_STUDENT_T_H
#define RETENTION_STUDENT_T_H

/* The t with P(|T| <= t) = confidence, 0 < confidence < 1; degrees > 0 */
extern double student_two_sided_t(double confidence, double degrees);

#endif							/* RETENTION_STUDENT_T_H */
