# retention: build, install and regression tests through PGXS.
#
# make, make install, make installcheck   as for any PostgreSQL extension;
#                        PG_CONFIG=/path/to/pg_config chooses the server
# make selfcheck         ./check: every suite on a private throw-away cluster
# make bench             bench/run: measured ratios, takes minutes
# make dist              a release archive of the committed tree
#
# The server's own compiler flags are kept; warnings are added, never turned
# into errors here, and nothing ties the module to the building machine's CPU.
# retention.control is the only place where the version is written.

PG_CONFIG ?= pg_config

EXTENSION = retention
EXTVERSION := $(shell sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p" retention.control)
MODULE_big = retention
DATA = $(sort $(wildcard retention--*.sql))

SOURCES = $(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c))
ALL_HEADERS = $(sort $(wildcard src/*.h src/*/*.h src/*/*/*.h))
OBJS = $(SOURCES:.c=.o)

# Only what the server looks up by name is visible (src/compat.h), so that no
# other module's symbols can stand in for ours; 16 asks for it by itself.
# PostgreSQL's own macros need the two exceptions among the warnings.
override PG_CFLAGS := -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(PG_CFLAGS)
PG_CPPFLAGS = -I$(srcdir)/src -DRETENTION_VERSION='"$(EXTVERSION)"'
override SHLIB_LINK += $(filter -lm, $(LIBS))

REGRESS = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS = --inputdir=. --encoding=UTF8

DISTNAME = $(EXTENSION)-$(EXTVERSION).0
EXTRA_CLEAN = results regression.diffs regression.out $(DISTNAME).zip

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) does not run: install the server headers (on Debian and Ubuntu the package postgresql-server-dev-NN), or set PG_CONFIG)
endif
include $(PGXS)

# Debian's servers are configured without dependency tracking: any header, the
# version or this file makes everything build again.
$(OBJS) $(OBJS:.o=.bc): $(ALL_HEADERS) retention.control Makefile

.PHONY: selfcheck bench dist

selfcheck:
	./check

bench:
	PG_CONFIG='$(PG_CONFIG)' bench/run

dist:
	git archive --format=zip --prefix=$(DISTNAME)/ -o $(DISTNAME).zip HEAD
