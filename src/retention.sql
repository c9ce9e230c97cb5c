/*
 * What CREATE EXTENSION retention makes.  The pieces stand beside the C of their
 * rooms under src/; the Makefile assembles them in an explicit order.
 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION retention" to load this file. \quit
