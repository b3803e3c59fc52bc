# shellcheck shell=bash
# PostgreSQL as a private instance: own data, log and port under the state directory, no socket outside it. It is one node, or three: a primary, a standby that has all
# that was acknowledged, and one that follows as it can (docs/cluster.md).
# POSTGRES_AUTOVACUUM_NAPTIME: how often it looks after all of its databases, as of PostgreSQL.

POSTGRES_OLDEST=15

postgresql_all() { recall POSTGRES_NODES || printf 1; } # their numbers
postgresql_is_cluster() { case $(postgresql_all) in *' '*) ;; *) return 1 ;; esac }
postgresql_primary() { recall POSTGRES_PRIMARY || printf 1; }
postgresql_nodes() { printf '%s' "${POSTGRES_ONLY:-$(postgresql_all)}"; } # those that a command is about

postgresql_at() { # NODE: what follows is about that one; the first is called as if there were no others
    local other=${1#1}
    POSTGRES_NODE=$1
    POSTGRES_PIDFILE=$STATE/run/PostgreSQL$other.pid
    POSTGRES_LOG=$STATE/log/PostgreSQL$other.log
    POSTGRES_DATA=$STATE/postgresql$other/data
    POSTGRES_KEY=POSTGRES${other}_PORT
    POSTGRES_HOST=$(host_address "postgres$1")
}
postgresql_at 1
postgresql_each() { each_node postgresql "$@"; } # COMMAND…

postgresql_bin() { # prints the folder of the newest complete set of binaries
    local newest=0 found='' dir version made_by
    made_by=$(cat "$STATE"/postgresql*/data/PG_VERSION 2>/dev/null | head -n 1)
    for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin "$(dirname "$(command -v initdb || true)")"; do
        if [ ! -x "$dir/initdb" ] || [ ! -x "$dir/postgres" ] || [ ! -x "$dir/psql" ]; then continue; fi
        version=$("$dir/postgres" --version 2>/dev/null | sed -nE 's/.* ([0-9]+)[.a-z].*/\1/p')
        # Data is readable by its own major version only, and so is a copy of it: the one that made it wins.
        if [ -n "$version" ] && [ "$version" = "$made_by" ]; then
            printf '%s' "$dir"
            return
        fi
        if [ "${version:-0}" -ge "$POSTGRES_OLDEST" ] && [ "$version" -gt "$newest" ]; then
            newest=$version
            found=$dir
        fi
    done
    [ -n "$found" ] && printf '%s' "$found"
}

postgresql_binaries() {
    postgresql_bin >/dev/null && return
    can_install || die "PostgreSQL $POSTGRES_OLDEST or newer is not there. Install it (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17), or start Docker, or give ConnectionStrings__Postgres."
    install_packages postgresql
    postgresql_bin >/dev/null || die "the distribution's PostgreSQL is older than $POSTGRES_OLDEST: give ConnectionStrings__Postgres, or start Docker"
}

# PostgreSQL refuses to run as root. An unprivileged user then owns its data, and must be able to walk down to it: where a
# folder on the way is closed to others (a checkout under /root), the process keeps that one capability of root's.
POSTGRES_AS=()
postgresql_user() {
    [ "$(id -u)" = 0 ] || return 0
    local user=nobody capability folder
    folder=$(dirname "$POSTGRES_DATA")
    ! id postgres >/dev/null 2>&1 || user=postgres
    command -v setpriv >/dev/null || die "PostgreSQL must not run as root, and setpriv (util-linux) is not there to change the user"
    mkdir -p "$folder"
    chown "$user" "$folder"
    chmod 700 "$folder"
    POSTGRES_AS=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
    # Tried rather than asked for: access(2) knows nothing of capabilities.
    ! "${POSTGRES_AS[@]}" touch "$folder/reached" 2>/dev/null || return 0
    for capability in dac_read_search dac_override; do
        POSTGRES_AS=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups --inh-caps "+$capability" --ambient-caps "+$capability")
        ! "${POSTGRES_AS[@]}" touch "$folder/reached" 2>/dev/null || return 0
    done
    die "the user $user, whom PostgreSQL runs as, cannot reach $STATE: put the checkout where others may enter, run as another user than root, or give ConnectionStrings__Postgres"
}

postgresql_as() ( # COMMAND…: in a folder which that user may be in
    cd /
    exec ${POSTGRES_AS[@]+"${POSTGRES_AS[@]}"} "$@"
)

postgresql_create() { # a cluster that was made halfway is made anew: only a finished one gets its name
    [ ! -f "$POSTGRES_DATA/PG_VERSION" ] || return 0
    rm -rf "$POSTGRES_DATA" "$POSTGRES_DATA.new"
    postgresql_as "$1/initdb" --pgdata "$POSTGRES_DATA.new" --username postgres --auth trust --encoding UTF8 --locale C \
        --no-instructions >>"$POSTGRES_LOG" 2>&1 || {
        tail -n 20 "$POSTGRES_LOG" >&2
        die "PostgreSQL's data could not be laid out; see $POSTGRES_LOG"
    }
    # In single-user mode each line is one statement.
    postgresql_as "$1/postgres" --single -D "$POSTGRES_DATA.new" postgres <<SQL >>"$POSTGRES_LOG" 2>&1 || die "the database could not be made; see $POSTGRES_LOG"
CREATE ROLE signup LOGIN CREATEDB PASSWORD '$(password POSTGRES_PASSWORD)'
CREATE DATABASE signup OWNER signup
SQL
    postgresql_as mv "$POSTGRES_DATA.new" "$POSTGRES_DATA"
}

# signup_owner: for a log that belongs to another role than the one that the endpoints sign in by (docs/runbook.md). signup_replica: for standbys. Data of an earlier version gets them when it is started.
postgresql_roles() { # BIN
    ! recall POSTGRES_ROLES >/dev/null || return 0
    # What is to be made fails where it was there already.
    postgresql_as "$1/postgres" --single -D "$POSTGRES_DATA" postgres <<SQL >>"$POSTGRES_LOG" 2>&1 || die "a database role could not be made; see $POSTGRES_LOG"
CREATE ROLE signup_owner LOGIN CREATEDB
ALTER ROLE signup_owner PASSWORD '$(password POSTGRES_OWNER_PASSWORD)'
GRANT signup TO signup_owner
CREATE ROLE signup_replica LOGIN REPLICATION
ALTER ROLE signup_replica PASSWORD '$(password POSTGRES_REPLICA_PASSWORD)'
SQL
    remember POSTGRES_ROLES made
}

postgresql_configure() { # it has never listened until now, and never will to anyone without a password; its superuser has none and so stays outside
    local network=127.0.0.1/32
    ! has_network || network=$(recall NETWORK).0/24
    printf 'host %s %s scram-sha-256\n' 'all all' "$network" 'replication signup_replica' "$network" >"$POSTGRES_DATA/pg_hba.conf"
    {
        cat <<CONF
max_connections = 400
shared_buffers = 256MB
jit = off
autovacuum_naptime = ${POSTGRES_AUTOVACUUM_NAPTIME:-1min}
timezone = UTC
log_timezone = UTC
log_line_prefix = '%m [%p] '
CONF
        postgresql_configure_cluster
    } >"$POSTGRES_DATA/signup.conf"
    grep -q signup.conf "$POSTGRES_DATA/postgresql.conf" || printf "include 'signup.conf'\n" >>"$POSTGRES_DATA/postgresql.conf"
}

postgresql_configure_cluster() {
    local node hosts='' ports='' standbys=''
    postgresql_is_cluster || return 0
    sed '/^#/d' "$ROOT/docker/parts/postgresql-cluster.conf"
    for node in $(postgresql_all); do
        hosts=$hosts,$(host_address "postgres$node")
        ports=$ports,$(recall "POSTGRES${node#1}_PORT")
        [ "$node" = "$POSTGRES_NODE" ] || standbys=$standbys,postgres$node
    done
    # Where it is the primary. Of those that are there, the first has all that was acknowledged.
    [ "$(recall POSTGRES_SYNCHRONOUS || true)" != yes ] || say "synchronous_standby_names = 'FIRST 1 (${standbys#,})'"
    # Where it is not: whoever is.
    say "primary_conninfo = 'host=${hosts#,} port=${ports#,} target_session_attrs=primary connect_timeout=3 user=signup_replica password=$(password POSTGRES_REPLICA_PASSWORD) application_name=postgres$POSTGRES_NODE'"
}

postgresql_reconfigure() { # while it runs
    postgresql_configure
    kill -HUP "$(pid_in "$POSTGRES_PIDFILE")" 2>/dev/null || true
}

# A standby's data is a copy of the primary's. What was a primary before has, maybe, what no other has: it is copied anew.
postgresql_copy() { # BIN
    [ ! -f "$POSTGRES_DATA/standby.signal" ] || return 0
    local node=$POSTGRES_NODE host port
    postgresql_at "$(postgresql_primary)"
    host=$POSTGRES_HOST port=$(recall "$POSTGRES_KEY")
    postgresql_at "$node"
    rm -rf "$POSTGRES_DATA" "$POSTGRES_DATA.new"
    # shellcheck disable=SC2046 # words of a command
    PGPASSWORD=$(recall POSTGRES_REPLICA_PASSWORD) limited 600 $(on_host "postgres$POSTGRES_NODE") ${POSTGRES_AS[@]+"${POSTGRES_AS[@]}"} "$1/pg_basebackup" --host "$host" --port "$port" --username signup_replica --pgdata "$POSTGRES_DATA.new" \
        --wal-method stream --checkpoint fast --no-sync >>"$POSTGRES_LOG" 2>&1 || {
        tail -n 20 "$POSTGRES_LOG" >&2
        die "the primary's data could not be copied; see $POSTGRES_LOG"
    }
    postgresql_as touch "$POSTGRES_DATA.new/standby.signal"
    postgresql_as mv "$POSTGRES_DATA.new" "$POSTGRES_DATA"
}

# The mark ends in a blank, so that no other cluster's folder begins with it.
postgresql_runs() { is_process "$(pid_in "$POSTGRES_PIDFILE")" "-D $POSTGRES_DATA "; }
postgresql_running() { postgresql_each postgresql_runs; }
postgresql_asks() { # SQL: prints the answer
    PGPASSWORD=$(recall POSTGRES_PASSWORD) PGCONNECT_TIMEOUT=10 limited 15 "$(postgresql_bin)/psql" --no-psqlrc --quiet --no-align --tuples-only --host "$POSTGRES_HOST" --port "$(recall "$POSTGRES_KEY")" \
        --username signup --dbname signup --command "$1" 2>/dev/null
}
postgresql_answers() { postgresql_asks 'select 1' >/dev/null; }
postgresql_up_or_dead() { postgresql_answers || gone postgresql_runs; }

postgresql_up() {
    local node primary
    # First, since the others are copies of it.
    primary=$(postgresql_primary)
    for node in $primary $(postgresql_nodes); do
        if [ "$node" = "$primary" ] && [ -n "${POSTGRES_ONLY:-}" ] && [ "$node" != "$POSTGRES_ONLY" ]; then continue; fi
        postgresql_at "$node"
        postgresql_start
    done
}

postgresql_start() {
    if postgresql_runs; then
        wait_until 120 postgresql_up_or_dead && postgresql_answers && return
        postgresql_end KILL
    fi
    local bin stale deadline=$((SECONDS + 180))
    mkdir -p "$STATE/log" "$(dirname "$POSTGRES_DATA")"
    postgresql_binaries
    bin=$(postgresql_bin)
    postgresql_user
    port_for "$POSTGRES_KEY" >/dev/null
    if [ "$POSTGRES_NODE" = "$(postgresql_primary)" ]; then postgresql_create "$bin"; else postgresql_copy "$bin"; fi
    # After a crash its own lock file may name a number that some other process got since.
    if stale=$(pid_in "$POSTGRES_DATA/postmaster.pid") && ! is_process "$stale" "$POSTGRES_DATA"; then
        rm -f "$POSTGRES_DATA/postmaster.pid"
    fi
    [ "$POSTGRES_NODE" != "$(postgresql_primary)" ] || postgresql_roles "$bin"
    postgresql_configure
    while :; do
        (
            cd /
            # shellcheck disable=SC2046 # words of a command
            detached "$POSTGRES_PIDFILE" "$POSTGRES_LOG" $(on_host "postgres$POSTGRES_NODE") ${POSTGRES_AS[@]+"${POSTGRES_AS[@]}"} "$bin/postgres" -D "$POSTGRES_DATA" \
                -c "port=$(recall "$POSTGRES_KEY")" -c "listen_addresses=$POSTGRES_HOST" -c unix_socket_directories=
        )
        wait_until 120 postgresql_up_or_dead || true
        ! postgresql_answers || return 0
        # Backends of a killed server may need a moment to notice, and hold the shared memory until then.
        [ "$SECONDS" -lt "$deadline" ] || break
        tail -n 3 "$POSTGRES_LOG" | grep -qE 'shared memory block|lock file' || break
        sleep 0.5
    done
    tail -n 20 "$POSTGRES_LOG" >&2
    die "PostgreSQL does not start; all of it is in $POSTGRES_LOG"
}

# INT is its "fast" stop: sessions are ended, all is written.
postgresql_end() { # INT|KILL
    postgresql_thaw_one
    end_process "$POSTGRES_PIDFILE" "-D $POSTGRES_DATA " "$1" 60
}
# The primary last where all stop: what it acknowledges to the end, the others have.
postgresql_down() {
    local node
    for node in $(postgresql_nodes); do [ "$node" = "$(postgresql_primary)" ] || { postgresql_at "$node" && postgresql_end INT; }; done
    case " $(postgresql_nodes) " in *" $(postgresql_primary) "*) postgresql_at "$(postgresql_primary)" && postgresql_end INT ;; esac
}
postgresql_kill() { postgresql_each postgresql_end KILL; }

# As its machine would be: the server, and each of its processes (Linux).
postgresql_signal() { # SIGNAL
    local pid
    pid=$(pid_in "$POSTGRES_PIDFILE") || return 0
    # shellcheck disable=SC2046 # numbers
    kill "-$1" "$pid" $(cat "/proc/$pid/task/"*/children 2>/dev/null) 2>/dev/null || true
}
postgresql_freeze() { postgresql_each postgresql_signal STOP; }
postgresql_thaw_one() { postgresql_signal CONT; }
postgresql_thaw() { postgresql_each postgresql_thaw_one; }

# The primary is ended, whatever it does, and of the standbys that one takes its place which is further ahead.
postgresql_promote() {
    local node primary ahead best='' most=-1
    postgresql_is_cluster || die 'there is one PostgreSQL, and nobody to take its place: ./run --cluster'
    primary=$(postgresql_primary)
    postgresql_at "$primary"
    # One that is the primary in name only: this was interrupted before.
    if [ -f "$POSTGRES_DATA/standby.signal" ]; then
        postgresql_promote_one
        return
    fi
    # Before anything else: two primaries would be two truths.
    postgresql_end KILL
    for node in $(postgresql_all); do
        [ "$node" != "$primary" ] || continue
        postgresql_at "$node"
        ahead=$(postgresql_asks "select pg_wal_lsn_diff(greatest(coalesce(pg_last_wal_receive_lsn(), '0/0'), coalesce(pg_last_wal_replay_lsn(), '0/0')), '0/0')") ||
            die "postgres$node does not answer, and what was acknowledged may be there alone: start it (docker/provision up postgres$node), or the old primary (docker/provision up postgres$primary)"
        if [ "$ahead" -gt "$most" ]; then best=$node most=$ahead; fi
    done
    remember POSTGRES_PRIMARY "$best"
    postgresql_at "$best"
    postgresql_promote_one
}
postgresql_promote_one() {
    postgresql_user
    postgresql_as "$(postgresql_bin)/pg_ctl" promote -D "$POSTGRES_DATA" --wait --timeout 60 >>"$POSTGRES_LOG" 2>&1 || die "postgres$POSTGRES_NODE could not be promoted; see $POSTGRES_LOG"
    say "postgres$POSTGRES_NODE is the primary now"
}

# From one node to three, or back, while it is in use: each can be repeated where it was interrupted.
postgresql_resize() { # NODES
    local node
    if [ "$1" = 3 ]; then
        remember POSTGRES_NODES '1 2 3'
        for node in 1 2 3; do
            postgresql_at "$node"
            port_for_new "$POSTGRES_KEY"
        done
        postgresql_up
        wait_until 60 postgresql_follow || die 'the standbys do not follow; see their logs'
        # Not before: nothing would be acknowledged until the first has come.
        remember POSTGRES_SYNCHRONOUS yes
        postgresql_each postgresql_reconfigure
    elif postgresql_is_cluster; then
        remember POSTGRES_SYNCHRONOUS no
        postgresql_at "$(postgresql_primary)"
        postgresql_start
        postgresql_reconfigure
        for node in $(postgresql_all); do
            [ "$node" != "$(postgresql_primary)" ] || continue
            postgresql_at "$node"
            postgresql_end INT
            rm -rf "$(dirname "$POSTGRES_DATA")"
        done
        remember POSTGRES_NODES "$(postgresql_primary)"
        postgresql_at "$(postgresql_primary)"
        postgresql_reconfigure
    fi
}
port_for_new() { recall "$1" >/dev/null || port_for "$1" >/dev/null; } # KEY
postgresql_follow() ( # all standbys
    postgresql_at "$(postgresql_primary)"
    [ "$(postgresql_asks "select count(*) from pg_stat_replication")" = 2 ]
)

postgresql_connection() { postgresql_as_role signup POSTGRES_PASSWORD; }
postgresql_owner_connection() { postgresql_as_role signup_owner POSTGRES_OWNER_PASSWORD; }
# Where there are standbys.
postgresql_replica_connection() { ! postgresql_is_cluster || postgresql_as_role signup POSTGRES_PASSWORD prefer-standby; }
postgresql_as_role() { # ROLE PASSWORD-KEY [SERVERS]
    local node hosts='' where
    for node in $(postgresql_all); do
        postgresql_at "$node"
        hosts=$hosts,$POSTGRES_HOST:$(recall "$POSTGRES_KEY") || return
    done
    if postgresql_is_cluster; then where="Host=${hosts#,};Target Session Attributes=${3:-primary}"; else where="Host=$POSTGRES_HOST;Port=$(recall "$POSTGRES_KEY")"; fi
    printf '%s;Database=signup;Username=%s;Password=%s' "$where" "$1" "$(recall "$2")"
}
