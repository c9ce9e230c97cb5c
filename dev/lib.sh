# shellcheck shell=sh
# What ./demo, ./check and the scripts in dev/ share: install what is missing,
# build a private copy of the tree, run it on a private throw-away cluster.
#
# Sourced, never run. The caller sets $here (the checkout) and then calls, in
# this order: begin, prepare, and for each build stage_build and cluster_start.
#
# Promises: everything but packages lives in one directory made by mktemp and
# removed at the end, however the end comes; the server listens on a socket in
# that directory only, which nobody but its owner may open; so any number of
# runs may go on at once, also from one checkout.
# Never: writes into the checkout, installs files outside packages, starts,
# stops or reconfigures a cluster that is not its own.

# ---------------------------------------------------------------- the caller

prog=${0##*/}
work=            # the private directory
server_pid_dir=  # data directory of the running cluster, if any
workers=         # background jobs to end with us

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$prog" "$*" >&2; exit 1; }

# begin: a known environment, a private directory, and a way out of it.
begin() {
    : "${here:?}"
    # A closed descriptor would be handed to the next file that is opened.
    { true 3>&2; } || exec 2>/dev/null
    { true 3<&0; } 2>/dev/null || exec </dev/null
    { true 3>&1; } 2>/dev/null || exec >/dev/null
    umask 022
    caller_dir=$PWD
    # The caller's clients and makes must not lead ours to another cluster.
    for begin_var in $(env | sed -n 's/^\(PG[A-Z]*\)=.*/\1/p') \
        MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES DESTDIR COPT PROFILE PSQLRC CDPATH; do
        unset "$begin_var"
    done
    LC_ALL=C PGCLIENTENCODING=UTF8
    export LC_ALL PGCLIENTENCODING
    cores=$(nproc 2>/dev/null || echo 2)
    # Not under TMPDIR: a socket's path may have 107 bytes at most.
    work=$(mktemp -d /tmp/retention.XXXXXX) || die "cannot make a directory in /tmp"
    trap finish EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
    chmod 755 "$work"
}

finish() {
    finish_status=$?
    trap '' HUP INT PIPE TERM
    trap - EXIT
    for finish_pid in $workers; do
        kill "$finish_pid" 2>/dev/null
    done
    cluster_stop immediate
    # Something that was ended a moment ago may still be writing there.
    [ -z "$work" ] || rm -rf -- "$work" 2>/dev/null || { sleep 1 && rm -rf -- "$work"; }
    exit "$finish_status"
}

# ------------------------------------------------------------------ packages

# Run as root, under one lock for all runs on the machine: $@ are packages.
# Without the drop-in file the server's package would make and start a cluster
# of its own; we want the programs only. Packages already there are not
# touched, so no running server is upgraded or restarted under its users.
# shellcheck disable=SC2016
install_script='
    set -u
    missing=
    for p; do
        [ "$(dpkg-query -W -f "\${db:Status-Status}" "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
    done
    [ -n "$missing" ] || exit 0
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C
    etc=/etc/postgresql-common
    drop=$etc/createcluster.d/retention-no-main-cluster.conf
    trap "rm -f $drop; rmdir $etc/createcluster.d $etc 2>/dev/null" EXIT
    trap "exit 1" HUP INT PIPE TERM
    mkdir -p "$etc/createcluster.d" && echo "create_main_cluster = off" >"$drop"
    install() {
        apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=600 \
            -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $missing
    }
    install || { apt-get update -q -o DPkg::Lock::Timeout=600; install; }
'
# shellcheck disable=SC2016
update_script='LC_ALL=C apt-get update -q -o DPkg::Lock::Timeout=600 || { sleep 10; apt-get update -q; }'

# as_root SCRIPT [ARGS]: 0 done, 1 failed (log in $work/apt.log), 2 not allowed
as_root() {
    root_script=$1
    shift
    root_sudo=
    if [ "$(id -u)" != 0 ]; then
        # A password, where one is needed, is asked for on the terminal.
        root_sudo=sudo
        { command -v sudo >/dev/null 2>&1 && sudo true; } || return 2
    fi
    $root_sudo flock /var/lib/dpkg sh -c "$root_script" sh "$@" >>"$work/apt.log" 2>&1 </dev/null || return 1
}

# install PACKAGE...: or end with one line that names them
install_packages() {
    command -v apt-get >/dev/null 2>&1 ||
        die "missing and not installable here (there is no apt-get): $*"
    printf '%s: installing %s\n' "$prog" "$*" >&2
    as_root "$install_script" "$@"
    case $? in
        0) return 0 ;;
        2) die "missing packages, and no root or sudo to install them with: apt-get install $*" ;;
    esac
    tail -n 15 "$work/apt.log" >&2
    die "could not install the missing packages: apt-get install $*"
}

package_offered() {
    apt-cache policy "$1" 2>/dev/null | grep -q '^ *Candidate: [^(]'
}

# -------------------------------------------------------------------- server

majors='19 18 17 16 15'

major_of() {
    "$1" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9][0-9]*\).*/\1/p'
}

# server_complete PG_CONFIG: server, headers and build rules, of a major we support
server_complete() {
    [ -x "$1" ] || return 1
    complete_bin=$("$1" --bindir 2>/dev/null) || return 1
    [ -x "$complete_bin/postgres" ] && [ -x "$complete_bin/initdb" ] && [ -x "$complete_bin/psql" ] &&
        [ -f "$("$1" --includedir-server 2>/dev/null)/postgres.h" ] && [ -f "$("$1" --pgxs 2>/dev/null)" ] &&
        [ "$(major_of "$1")" -ge 15 ]
}

# server_choose build|tests: sets $pg_config, or $wanted_major where packages are missing.
# PG_CONFIG decides; else the newest complete server, Debian's before the
# PATH's; else the newest server that lacks its headers; else the newest offered.
server_choose() {
    pg_config='' wanted_major=''
    if [ -n "${PG_CONFIG:-}" ]; then
        choose_path=$(command -v "$PG_CONFIG") || choose_path=$PG_CONFIG
        case $choose_path in
            /*) ;;
            *) choose_path=$caller_dir/$choose_path ;;
        esac
        if server_complete "$choose_path"; then
            pg_config=$choose_path
            return 0
        fi
        wanted_major=$(expr "$choose_path" : '/usr/lib/postgresql/\([0-9]*\)/bin/pg_config$')
        [ -n "$wanted_major" ] || die "PG_CONFIG=$PG_CONFIG is not a PostgreSQL 15 or later with server, headers and PGXS"
        return 0
    fi
    for choose_v in $majors; do
        if server_complete "/usr/lib/postgresql/$choose_v/bin/pg_config"; then
            pg_config=/usr/lib/postgresql/$choose_v/bin/pg_config
            return 0
        fi
    done
    choose_path=$(command -v pg_config) || choose_path=
    if [ -n "$choose_path" ] && server_complete "$choose_path"; then
        pg_config=$choose_path
        return 0
    fi
    command -v apt-cache >/dev/null 2>&1 ||
        die "missing and not installable here (there is no apt-get): PostgreSQL 15 or later with its server headers, make, a C compiler"
    for choose_try in listed updated; do
        for choose_v in $majors; do
            if [ -x "/usr/lib/postgresql/$choose_v/bin/postgres" ] &&
                package_offered "postgresql-server-dev-$choose_v"; then
                wanted_major=$choose_v
                return 0
            fi
        done
        for choose_v in $majors; do
            if package_offered "postgresql-$choose_v" && package_offered "postgresql-server-dev-$choose_v"; then
                wanted_major=$choose_v
                return 0
            fi
        done
        [ "$choose_try" = listed ] || break
        # A fresh image has no package lists at all.
        printf '%s: reading the package lists\n' "$prog" >&2
        as_root "$update_script"
        if [ $? = 2 ]; then
            wanted_major=NN
            die "missing packages, and no root or sudo to install them with: apt-get install $(missing_packages "$1" | tr '\n' ' ')(NN: 15 or later)"
        fi
    done
    tail -n 5 "$work/apt.log" >&2
    die "no package postgresql-15 or later (with postgresql-server-dev) is offered to this machine by apt"
}

# server_paths: what pg_config tells, asked once
server_paths() {
    PG_CONFIG=$pg_config
    export PG_CONFIG
    bindir=$("$pg_config" --bindir)
    sharedir=$("$pg_config" --sharedir)
    pkglibdir=$("$pg_config" --pkglibdir)
    PATH=$bindir:$PATH
    export PATH
}

c_compiler_works() {
    command -v gcc >/dev/null 2>&1 && echo '#include <stdio.h>' | gcc -E - >/dev/null 2>&1
}

# missing_packages build|tests: one package a line
missing_packages() {
    command -v make >/dev/null 2>&1 || echo make
    c_compiler_works || printf '%s\n' gcc libc6-dev
    missing_major=$wanted_major
    missing_share=/usr/share/postgresql/$wanted_major
    if [ -n "$wanted_major" ]; then
        [ -x "/usr/lib/postgresql/$wanted_major/bin/postgres" ] || echo "postgresql-$wanted_major"
        echo "postgresql-server-dev-$wanted_major"
    else
        missing_major=$(major_of "$pg_config")
        missing_share=$("$pg_config" --sharedir)
    fi
    [ "$1" = tests ] || return 0
    command -v pg_prove >/dev/null 2>&1 || echo libtap-parser-sourcehandler-pgtap-perl
    [ -f "$missing_share/extension/pgtap.control" ] || echo "postgresql-$missing_major-pgtap"
}

# extra_packages: of use to the tests, which skip what needs them where they
# cannot be had; one a line
extra_packages() {
    command -v pg_bsd_indent >/dev/null 2>&1 || ! package_offered pg-bsd-indent || echo pg-bsd-indent
    extra_major=$(major_of "$pg_config")
    [ "$bindir" = "/usr/lib/postgresql/$extra_major/bin" ] || return 0
    [ -f "$sharedir/extension/pg_cron.control" ] || ! package_offered "postgresql-$extra_major-cron" ||
        echo "postgresql-$extra_major-cron"
}

# prepare build|tests: all that is needed is there afterwards
prepare() {
    server_choose "$1"
    prepare_list=$(missing_packages "$1")
    if [ -n "$prepare_list" ]; then
        # shellcheck disable=SC2086
        install_packages $prepare_list
        if [ -n "$wanted_major" ]; then
            pg_config=/usr/lib/postgresql/$wanted_major/bin/pg_config
            server_complete "$pg_config" || die "postgresql-server-dev-$wanted_major is installed, but $pg_config is not usable"
            wanted_major=
        fi
        prepare_list=$(missing_packages "$1" | tr '\n' ' ')
        [ -z "$prepare_list" ] || die "still missing after installing packages: $prepare_list"
    fi
    server_paths
    [ "$1" = tests ] || return 0
    prepare_list=$(extra_packages | tr '\n' ' ')
    [ -n "$prepare_list" ] || return 0
    printf '%s: installing %s\n' "$prog" "$prepare_list" >&2
    # shellcheck disable=SC2086
    as_root "$install_script" $prepare_list || printf '%s: could not install %s, going on without\n' "$prog" "$prepare_list" >&2
}

# --------------------------------------------------------------------- build

# tree_copy DIR: the work tree as it stands, committed or not, without what
# git and make left in it. Nothing in the checkout is locked or changed.
tree_copy() {
    mkdir -p "$1" &&
        tar -C "$here" --exclude=./.git --exclude=node_modules --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
            --exclude=./results --exclude='./regression.*' -cf - . |
        tar -C "$1" --no-same-owner -xf - && [ -f "$1/retention.control" ]
}

# stage_build DIR [make arguments]: a copy of the tree in DIR/src, built and
# installed below DIR/stage; the compiler's words are in DIR/build.log. All
# builds of one run see the tree as it was at the first.
stage_build() {
    stage_dir=$1
    shift
    [ -d "$work/tree" ] || tree_copy "$work/tree" || return 1
    mkdir -p "$stage_dir" && cp -R "$work/tree" "$stage_dir/src" || return 1
    (
        cd "$stage_dir/src" &&
            make -s -j"$cores" PG_CONFIG="$pg_config" "$@" all &&
            make -s PG_CONFIG="$pg_config" "$@" install DESTDIR="$stage_dir/stage"
    ) >"$stage_dir/build.log" 2>&1 </dev/null
}

# stage_server DIR: a view of the installed server that has our extension too.
# The server looks for its files beside its own program, so a copy of that one
# file among links to all others sees what is installed and what is staged,
# whatever the major and whoever built it, and the installation stays as it is.
stage_server() {
    mkdir -p "$1/pg$bindir" "$1/pg$sharedir/extension" "$1/pg$pkglibdir/bitcode" &&
        cp "$bindir/postgres" "$1/pg$bindir/postgres" &&
        link_all "$sharedir" "$1/pg$sharedir" &&
        link_all "$sharedir/extension" "$1/pg$sharedir/extension" &&
        link_all "$pkglibdir" "$1/pg$pkglibdir" &&
        ln -sf "$1/stage$sharedir"/extension/retention* "$1/pg$sharedir/extension/" &&
        link_all "$pkglibdir/bitcode" "$1/pg$pkglibdir/bitcode" &&
        ln -sf "$1/stage$pkglibdir/retention.so" "$1/pg$pkglibdir/" || return 1
    # none should be there; test/jit.sql looks
    [ ! -d "$1/stage$pkglibdir/bitcode" ] || ln -sf "$1/stage$pkglibdir"/bitcode/* "$1/pg$pkglibdir/bitcode/"
}

# link_all FROM TO: a link in TO for every entry of FROM that TO lacks; what is
# installed of this extension is left out, the staged one stands for it
link_all() {
    for link_entry in "$1"/*; do
        case ${link_entry##*/} in
            retention | retention.* | retention--*) continue ;;
        esac
        if [ -e "$link_entry" ] && [ ! -e "$2/${link_entry##*/}" ]; then
            ln -s "$link_entry" "$2/" || return 1
        fi
    done
}

# ------------------------------------------------------------------- cluster

# as_server COMMAND...: as root, run as a user who may own a cluster
as_server() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u "$server_user" -- "$@")
    else
        (cd / && "$@")
    fi
}

# cluster_start DIR [setting=value ...]: the server of stage_server, log in
# DIR/log; clients find it through the environment. $server_env may hold
# variables for the server alone (the sanitizers' preloads).
cluster_start() {
    start_dir=$1
    shift
    server_user=postgres
    getent passwd postgres >/dev/null || server_user=nobody
    mkdir -p "$start_dir/run" && : >"$start_dir/log" || return 1
    if [ "$(id -u)" = 0 ]; then
        chown "$server_user" "$start_dir/run" "$start_dir/log" || return 1
    fi
    as_server "$bindir/initdb" -D "$start_dir/run/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
        >"$start_dir/initdb.log" 2>&1 </dev/null || {
        cat "$start_dir/initdb.log" >&2
        return 1
    }
    {
        printf '%s\n' "listen_addresses = ''" "port = 5432" \
            "unix_socket_directories = '$start_dir/run'" "unix_socket_permissions = 0700" \
            "fsync = off" "full_page_writes = off" "synchronous_commit = off" \
            "wal_level = minimal" "max_wal_senders = 0" "max_wal_size = 4GB" \
            "max_worker_processes = 32" "max_parallel_workers = 32" "$@"
    } >>"$start_dir/run/data/postgresql.conf" || return 1
    server_pid_dir=$start_dir/run/data
    # shellcheck disable=SC2086
    as_server env ${server_env:-} "$bindir/pg_ctl" -D "$server_pid_dir" -p "$start_dir/pg$bindir/postgres" \
        -l "$start_dir/log" -w -t 120 -s start >"$start_dir/start.log" 2>&1 </dev/null || {
        cat "$start_dir/start.log" >&2
        tail -n 20 "$start_dir/log" >&2
        return 1
    }
    PGHOST=$start_dir/run PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    export PGHOST PGPORT PGUSER PGDATABASE
}

# cluster_stop fast|immediate: nothing of it runs afterwards
cluster_stop() {
    [ -n "$server_pid_dir" ] || return 0
    if [ -f "$server_pid_dir/postmaster.pid" ]; then
        as_server "$bindir/pg_ctl" -D "$server_pid_dir" -m "$1" -w -t 60 -s stop >/dev/null 2>&1 </dev/null
    fi
    server_pid_dir=
}

# psql without the user's start-up file or pager; the first error ends it
run_psql() {
    "$bindir/psql" -X -q -v ON_ERROR_STOP=1 -P pager=off "$@"
}
