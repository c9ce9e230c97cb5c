# retention: build, install and regression tests through PGXS.
#
# make, make install, make installcheck   as for any PostgreSQL extension;
#                        PG_CONFIG=/path/to/pg_config chooses the server
# make selfcheck         ./check: every suite on a private throw-away cluster
# make bench             bench/run: measured ratios, takes minutes
# make indent            dev/indent: the C files as PostgreSQL's own are laid out
# make dist              a release archive; of the committed tree, where git is there
#
# In a folder of its own: make -f ../retention/Makefile VPATH=../retention.
# Everything is named relative to the two folders, so that blanks in their
# paths do no harm, as long as VPATH itself has none.
#
# The server's own compiler flags are kept; warnings are added, never turned
# into errors here, and nothing ties the module to the building machine's CPU.
# retention.control is the only place where the version is written.

PG_CONFIG ?= pg_config
top := $(or $(VPATH),.)

EXTENSION = retention
EXTVERSION := $(shell sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p" $(top)/retention.control)
MODULE_big = retention

# ------------------------------------------------------------ the C of the rooms

SOURCES = $(patsubst $(top)/%,%,$(sort $(wildcard $(top)/src/*.c $(top)/src/*/*.c $(top)/src/*/*/*.c)))
ALL_HEADERS = $(sort $(wildcard $(top)/src/*.h $(top)/src/*/*.h $(top)/src/*/*/*.h))
OBJS = $(SOURCES:.c=.o)
ifeq ($(SOURCES),)
$(error no sources in $(top)/src: in another folder than the sources', VPATH says where they are)
endif

# Only what the server looks up by name is visible (src/compat.h), so that no
# other module's symbols can stand in for ours; 16 asks for it by itself.
# PostgreSQL's own macros need the two exceptions among the warnings.
override PG_CFLAGS := -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(PG_CFLAGS)
# CC=clang where the server was built by gcc: its flags and headers name gcc's
# own warnings and its printf, which are no faults of ours.
ifneq ($(findstring clang,$(CC)),)
override PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes
endif
PG_CPPFLAGS = -I$(top)/src -DRETENTION_VERSION='"$(EXTVERSION)"'
override SHLIB_LINK += $(filter -lm, $(LIBS))

# ---------------------------------------- the install script, from the SQL of the rooms

RETENTION_SQL = $(EXTENSION)--$(EXTVERSION).sql
ROOM_SQL = retention.sql \
	history/history.sql \
	cohort/cohort.sql \
	segment/segment.sql \
	migration/migration.sql \
	clv/clv_summary.sql clv/clv_model.sql clv/clv_contract.sql clv/clv_portfolio.sql clv/clv_equity.sql clv/clv_data.sql \
	survival/survival.sql \
	metrics/proportion.sql metrics/nps.sql metrics/health.sql metrics/score.sql \
	churn/churn.sql
ROOM_SQL_FILES = $(addprefix $(top)/src/,$(ROOM_SQL))
DATA_built = $(RETENTION_SQL)
# scripts of released versions, and from one to the next
DATA = $(filter-out updates/$(RETENTION_SQL),$(patsubst $(top)/%,%,$(sort $(wildcard $(top)/updates/*.sql))))

# ------------------------------------------------------------------------- PGXS

REGRESS = $(patsubst $(top)/sql/%.sql,%,$(sort $(wildcard $(top)/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(top) --encoding=UTF8

DISTNAME = $(EXTENSION)-$(EXTVERSION).0
EXTRA_CLEAN = results regression.diffs regression.out $(DISTNAME).zip $(DISTNAME).tar.gz

# No LLVM bitcode beside the module, whatever the server has: JIT would copy a
# small function of ours into its own code and then look in vain for the hidden
# ones that it calls, which ends the session.  They are too long to gain by it.
override with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(PGXS),)
$(error $(PG_CONFIG) does not run: install the server headers (on Debian and Ubuntu the package postgresql-server-dev-NN), or set PG_CONFIG)
endif
include $(PGXS)

# Debian's servers are configured without dependency tracking: any header, the
# version or this file makes everything build again.
$(OBJS): $(ALL_HEADERS) $(top)/retention.control $(top)/Makefile

# The rooms' folders for objects; as prerequisites make would find those of VPATH,
# as it would find what a build among the sources has left.
ifneq ($(top),.)
ifneq ($(wildcard $(addprefix $(top)/,retention.so $(OBJS))),)
$(error there are objects among the sources: make clean in $(top) first)
endif
ifneq ($(MAKECMDGOALS),clean)
made := $(shell mkdir -p $(sort $(dir $(OBJS))))
endif
endif

$(RETENTION_SQL): $(ROOM_SQL_FILES) $(top)/src/value/value_type.sql.in $(top)/src/assemble.awk $(top)/retention.control $(top)/Makefile
	awk -v template='$(top)/src/value/value_type.sql.in' -f $(top)/src/assemble.awk $(ROOM_SQL_FILES) >$@.new && mv $@.new $@

.PHONY: selfcheck bench indent dist

selfcheck:
	$(top)/check

bench:
	PG_CONFIG='$(PG_CONFIG)' $(top)/bench/run

indent:
	$(top)/dev/indent

# PGXN takes a zip.  Without git it is what lies here, less what make made.
dist: $(RETENTION_SQL)
	$(top)/dev/dist '$(DISTNAME)'
