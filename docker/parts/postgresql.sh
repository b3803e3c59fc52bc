# shellcheck shell=bash
# PostgreSQL as a private instance: own cluster, log and port under the state directory, no socket outside it.
# POSTGRES_AUTOVACUUM_NAPTIME: how often it looks after all of its databases, as of PostgreSQL.

POSTGRES_PIDFILE=$STATE/run/PostgreSQL.pid
POSTGRES_LOG=$STATE/log/PostgreSQL.log
POSTGRES_DATA=$STATE/postgresql/data
POSTGRES_OLDEST=15

postgresql_bin() { # prints the folder of the newest complete set of binaries
    local newest=0 found='' dir version
    for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin "$(dirname "$(command -v initdb || true)")"; do
        if [ ! -x "$dir/initdb" ] || [ ! -x "$dir/postgres" ] || [ ! -x "$dir/psql" ]; then continue; fi
        version=$("$dir/postgres" --version 2>/dev/null | sed -nE 's/.* ([0-9]+)[.a-z].*/\1/p')
        # A cluster is readable by its own major version only: the one that made it wins.
        if [ -f "$POSTGRES_DATA/PG_VERSION" ] && [ "$version" = "$(cat "$POSTGRES_DATA/PG_VERSION")" ]; then
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
    local user=nobody capability
    ! id postgres >/dev/null 2>&1 || user=postgres
    command -v setpriv >/dev/null || die "PostgreSQL must not run as root, and setpriv (util-linux) is not there to change the user"
    mkdir -p "$STATE/postgresql"
    chown "$user" "$STATE/postgresql"
    chmod 700 "$STATE/postgresql"
    POSTGRES_AS=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups)
    # Tried rather than asked for: access(2) knows nothing of capabilities.
    ! "${POSTGRES_AS[@]}" touch "$STATE/postgresql/reached" 2>/dev/null || return 0
    for capability in dac_read_search dac_override; do
        POSTGRES_AS=(setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups --inh-caps "+$capability" --ambient-caps "+$capability")
        ! "${POSTGRES_AS[@]}" touch "$STATE/postgresql/reached" 2>/dev/null || return 0
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
    # It has never listened until now, and never will to anyone without a password; its superuser has none and so stays outside.
    printf 'host all all 127.0.0.1/32 scram-sha-256\n' >"$POSTGRES_DATA.new/pg_hba.conf"
    postgresql_as mv "$POSTGRES_DATA.new" "$POSTGRES_DATA"
}

# For a log that belongs to another role than the one that the endpoints sign in by (docs/runbook.md). A cluster of an earlier version gets it when it is started.
postgresql_owner() { # BIN
    local password
    ! recall POSTGRES_OWNER_PASSWORD >/dev/null || return 0
    password=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
    # The first fails where it was there already.
    postgresql_as "$1/postgres" --single -D "$POSTGRES_DATA" postgres <<SQL >>"$POSTGRES_LOG" 2>&1 || die "a database role could not be made; see $POSTGRES_LOG"
CREATE ROLE signup_owner LOGIN CREATEDB
ALTER ROLE signup_owner PASSWORD '$password'
GRANT signup TO signup_owner
SQL
    remember POSTGRES_OWNER_PASSWORD "$password"
}

# The mark ends in a blank, so that no other cluster's folder begins with it.
postgresql_running() { is_process "$(pid_in "$POSTGRES_PIDFILE")" "-D $POSTGRES_DATA "; }
postgresql_answers() {
    PGPASSWORD=$(recall POSTGRES_PASSWORD) PGCONNECT_TIMEOUT=10 limited 15 "$(postgresql_bin)/psql" --no-psqlrc --quiet --host 127.0.0.1 --port "$(recall POSTGRES_PORT)" \
        --username signup --dbname signup --command 'select 1' >/dev/null 2>&1
}
postgresql_up_or_dead() { postgresql_answers || gone postgresql_running; }

postgresql_up() {
    if postgresql_running; then
        wait_until 120 postgresql_up_or_dead && postgresql_answers && return
        postgresql_kill
    fi
    local bin stale deadline=$((SECONDS + 180))
    mkdir -p "$STATE/log" "$STATE/postgresql"
    postgresql_binaries
    bin=$(postgresql_bin)
    postgresql_user
    postgresql_create "$bin"
    # After a crash its own lock file may name a number that some other process got since.
    if stale=$(pid_in "$POSTGRES_DATA/postmaster.pid") && ! is_process "$stale" "$POSTGRES_DATA"; then
        rm -f "$POSTGRES_DATA/postmaster.pid"
    fi
    postgresql_owner "$bin"
    while :; do
        (
            cd /
            detached "$POSTGRES_PIDFILE" "$POSTGRES_LOG" ${POSTGRES_AS[@]+"${POSTGRES_AS[@]}"} "$bin/postgres" -D "$POSTGRES_DATA" \
                -c "port=$(port_for POSTGRES_PORT)" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
                -c max_connections=400 -c shared_buffers=256MB -c jit=off -c "autovacuum_naptime=${POSTGRES_AUTOVACUUM_NAPTIME:-1min}" -c timezone=UTC -c log_timezone=UTC -c 'log_line_prefix=%m [%p] '
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
postgresql_down() { end_process "$POSTGRES_PIDFILE" "-D $POSTGRES_DATA " INT 60; }
postgresql_kill() { end_process "$POSTGRES_PIDFILE" "-D $POSTGRES_DATA " KILL 10; }

postgresql_connection() { postgresql_as_role signup POSTGRES_PASSWORD; }
postgresql_owner_connection() { postgresql_as_role signup_owner POSTGRES_OWNER_PASSWORD; }
postgresql_as_role() { printf 'Host=127.0.0.1;Port=%s;Database=signup;Username=%s;Password=%s' "$(recall POSTGRES_PORT)" "$1" "$(recall "$2")"; } # ROLE PASSWORD-KEY
