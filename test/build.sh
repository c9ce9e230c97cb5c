#!/bin/sh
# The Makefile wherever it is called from: in a folder of its own (VPATH), below a path with blanks, with many jobs,
# into a DESTDIR; the pg_regress files from there; and the archive that make dist makes, with git and without, which
# builds again.
#
# Needs a server to which the environment leads, with the extension installed, as a role that may create databases.
# Speaks TAP. Takes a build of its own: RETENTION_SLOW=no skips it.
# shellcheck disable=SC2317  # functions called through the trap
set -u
if [ "${RETENTION_SLOW:-}" = no ]; then
    echo "1..0 # SKIP builds the module again: runs in another pass"
    exit 0
fi
here=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
src=${RETENTION_SRC:-$here}
PG_CONFIG=${PG_CONFIG:-pg_config}
export PG_CONFIG
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR COPT
work=$(mktemp -d /tmp/retention.XXXXXX) || exit 1
chmod 755 "$work"
finish() {
    psql -X -q -d template1 -c "DROP DATABASE IF EXISTS build_$$" >/dev/null 2>&1
    rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

tests=0 status=0
: >"$work/err"
result() { # result STATUS TITLE: what went wrong is in the file err
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        tail -n 40 "$work/err" | sed 's/^/# /'
        status=1
    fi
    : >"$work/err"
}
is() { # is GOT WANT TITLE
    [ "$1" = "$2" ] || printf 'got  %s\nwant %s\n' "$1" "$2" >>"$work/err"
    [ "$1" = "$2" ]
    result $? "$3"
}
skip() { # skip TITLE
    tests=$((tests + 1))
    echo "ok $tests # SKIP $1"
}
quick() { make -s -j8 COPT=-O0 "$@" >>"$work/err" 2>&1 </dev/null; }
# what the server can call in a module
functions() { nm -D -P --defined-only "$1" 2>>"$work/err" | sed -n 's/^pg_finfo_\([^ ]*\).*/\1/p' | sort; }
# every file but what make and git leave
files() { (cd "$1" && find . -type f ! -path './.git/*' | LC_ALL=C sort); }

tree=$work/with\ blanks/retention
mkdir -p "$tree"
tar -C "$src" --exclude=./.git --exclude='*.o' --exclude='*.bc' --exclude='*.so' --exclude='./retention--*.sql' --exclude=./results \
    --exclude='./regression.*' --exclude='./retention-*' --exclude=node_modules -cf - . | tar -C "$tree" -xf -
files "$tree" >"$work/files"
sed -n 's/^PG_FUNCTION_INFO_V1(\(.*\));.*/\1/p' "$tree"/src/*/*.c | LC_ALL=C sort >"$work/declared"

# ------------------------------------------------------- in a folder of its own

mkdir "$tree/b"
(cd "$tree/b" && quick -f ../Makefile VPATH=..)
result $? 'a build in a folder of its own, with 8 jobs, below a path with blanks'
functions "$tree/b/retention.so" >"$work/functions"
LC_ALL=C comm -23 "$work/declared" "$work/functions" >"$work/err"
[ ! -s "$work/err" ] && [ -s "$work/functions" ]
result $? 'its library has every function'
files "$tree" | grep -v '^\./b/' | diff "$work/files" - >"$work/err" 2>&1
result $? 'nothing was written beside the sources'
(cd "$tree/b" && quick -f ../Makefile VPATH=.. -q)
result $? 'and nothing is left to be made'

(cd "$tree/b" && quick -f ../Makefile VPATH=.. install DESTDIR="$work/the stage") &&
    installed=$(cd "$work/the stage" && find . -type f | sed 's|.*/||' | LC_ALL=C sort | tr '\n' ' ')
version=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$tree/retention.control")
is "${installed:-}" "retention--$version.sql retention.control retention.so " 'install into a DESTDIR'

(cd "$tree/b" && make -s -f ../Makefile VPATH=.. installcheck CONTRIB_TESTDB="build_$$" >>"$work/err" 2>&1 </dev/null)
result $? 'installcheck from that folder'

(cd "$tree/b" && quick -f ../Makefile VPATH=.. clean)
left=$(files "$tree/b" | tr '\n' ' ')
is "$left" '' 'clean leaves nothing there'
touch "$tree/src/math/wilson.o"
! (cd "$tree/b" && quick -f ../Makefile VPATH=..) && grep -q 'make clean in \.\. first' "$work/err"
result $? 'objects among the sources are refused: make would take them'
rm -rf "$tree/b" "$tree/src/math/wilson.o"

# ----------------------------------------------------------------- make dist

# unpack ARCHIVE DIR
unpack() {
    mkdir -p "$2"
    case $1 in
        *.zip) (cd "$2" && unzip -q "$1") ;;
        *) tar -C "$2" -xzf "$1" ;;
    esac
}
# archive_of DIR: the archive that make dist made there
archive_of() { find "$1" -maxdepth 1 -name 'retention-*.zip' -o -maxdepth 1 -name 'retention-*.tar.gz' | head -n 1; }
can_unpack() {
    case $1 in
        *.zip) command -v unzip >/dev/null 2>&1 ;;
        *) true ;;
    esac
}

(cd "$tree" && quick dist)
result $? 'make dist without git'
archive=$(archive_of "$tree")
if can_unpack "$archive"; then
    unpack "$archive" "$work/archive" 2>>"$work/err"
    unpacked=$(find "$work/archive" -mindepth 1 -maxdepth 1)
    files "$unpacked" | diff "$work/files" - >>"$work/err" 2>&1
    result $? 'the archive holds the tree, and nothing that was made'
    # the same files have been built above; here, that make finds all it asks for, and the install script
    (cd "$unpacked" && quick -n all && quick "retention--$version.sql")
    result $? 'and could be built again'
    cmp "$unpacked/retention--$version.sql" "$work/the stage$("$PG_CONFIG" --sharedir)/extension/retention--$version.sql" >>"$work/err" 2>&1
    result $? 'and makes the same install script'
else
    skip 'there is no unzip: the archive is not looked at'
fi
rm -rf "$work/archive" "$archive"

if command -v git >/dev/null 2>&1; then
    (
        cd "$tree" && git init -q . && git add -A && rm -f retention--*.sql &&
            git -c user.name=t -c user.email=t@example.com -c commit.gpgsign=false commit -q --no-verify -m t && echo 'not committed' >stray &&
            quick dist
    ) >>"$work/err" 2>&1
    result $? 'make dist with git'
    archive=$(archive_of "$tree")
    if can_unpack "$archive"; then
        unpack "$archive" "$work/archive" 2>>"$work/err"
        unpacked=$(find "$work/archive" -mindepth 1 -maxdepth 1)
        # what .gitattributes leaves out of archives is of use in a checkout only
        grep -v '^\./\.[gc]i' "$work/files" >"$work/wanted"
        files "$unpacked" | diff "$work/wanted" - >>"$work/err" 2>&1
        result $? 'its archive holds what is committed'
    else
        skip 'there is no unzip: the archive is not looked at'
    fi
else
    skip 'there is no git'
fi

echo "1..$tests"
exit "$status"
