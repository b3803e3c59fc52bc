# shellcheck shell=bash
# RabbitMQ as a private instance: own node, data, log, cookie and name daemon (epmd), all under the state directory.

RABBITMQ_PIDFILE=$STATE/run/RabbitMQ.pid
RABBITMQ_LOG=$STATE/log/RabbitMQ.log
RABBITMQ_DATA=$STATE/rabbitmq
RABBITMQ_DISK=256MB # with less room than this it takes no messages

rabbitmq_scripts() { # prints the folder of the real scripts: Debian's rabbitmq-server on PATH is a wrapper that changes user and folder
    local found
    for found in /usr/lib/rabbitmq/bin/rabbitmq-server "$(command -v rabbitmq-server || true)"; do
        if [ -x "$found" ]; then
            dirname "$(readlink -f "$found")"
            return
        fi
    done
    return 1
}

rabbitmq_binaries() {
    rabbitmq_scripts >/dev/null && return
    can_install || die "RabbitMQ is not there. Install it (Debian, Ubuntu: apt-get install rabbitmq-server; macOS: brew install rabbitmq), or start Docker, or give ConnectionStrings__RabbitMq."
    install_packages rabbitmq-server
    rabbitmq_scripts >/dev/null || die "rabbitmq-server was installed, but its scripts are not where they should be"
}

rabbitmq_environment() { # for server and tools alike; nothing of a system-wide RabbitMQ shines through
    local name
    for name in $(compgen -e RABBITMQ_ || true) NOTIFY_SOCKET; do unset "$name"; done
    # The cookie is found by way of HOME.
    export HOME=$RABBITMQ_DATA LC_ALL=C.UTF-8
    export ERL_EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
    ERL_EPMD_PORT=$(recall EPMD_PORT)
    export RABBITMQ_NODENAME=signup@localhost
    export RABBITMQ_CONF_ENV_FILE=$RABBITMQ_DATA/rabbitmq-env.conf
    export RABBITMQ_CONFIG_FILE=$RABBITMQ_DATA/rabbitmq.conf
    export RABBITMQ_ADVANCED_CONFIG_FILE=$RABBITMQ_DATA/advanced.config
    export RABBITMQ_ENABLED_PLUGINS_FILE=$RABBITMQ_DATA/enabled_plugins
    export RABBITMQ_MNESIA_BASE=$RABBITMQ_DATA/data
    export RABBITMQ_GENERATED_CONFIG_DIR=$RABBITMQ_DATA/generated
    export RABBITMQ_SCHEMA_DIR=$RABBITMQ_DATA/schema
    export RABBITMQ_PLUGINS_DIR=$RABBITMQ_DATA/plugins
    export RABBITMQ_LOG_BASE=$STATE/log RABBITMQ_LOGS=-
    export RABBITMQ_DIST_PORT
    RABBITMQ_DIST_PORT=$(recall RABBITMQ_DIST_PORT)
    export RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
}

rabbitmq_configure() {
    mkdir -p "$RABBITMQ_DATA"
    # The cookie lets its owner run anything inside the broker.
    chmod 700 "$RABBITMQ_DATA"
    port_for EPMD_PORT >/dev/null
    port_for RABBITMQ_DIST_PORT >/dev/null
    : >"$RABBITMQ_DATA/rabbitmq-env.conf"
    printf '[rabbitmq_management].\n' >"$RABBITMQ_DATA/enabled_plugins"
    printf '[].\n' >"$RABBITMQ_DATA/advanced.config"
    (
        umask 077
        cat >"$RABBITMQ_DATA/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$(port_for RABBITMQ_PORT)
management.tcp.ip = 127.0.0.1
management.tcp.port = $(port_for RABBITMQ_MANAGEMENT_PORT)
default_user = signup
default_pass = $(password RABBITMQ_PASSWORD)
log.console = true
log.console.level = info
# Half of a machine that is shared with the database and the endpoints.
vm_memory_high_watermark.relative = 0.5
disk_free_limit.absolute = $RABBITMQ_DISK
# The log ahead of the quorum queues is kept in memory until this size; the default, 512 MB, is made for a machine of its own.
raft.wal_max_size_bytes = 64000000
CONF
    )
}

# Of the plugins that come with it only those it needs, so that it starts in two thirds of the time: it looks for each of its thousand modules in the folders of
# all plugins first. Where they are not folders, it gets them as they are.
rabbitmq_plugins() { # SCRIPTS
    local all wanted='rabbit rabbitmq_management' name found
    all=$(dirname "$1")/plugins
    rm -rf "$RABBITMQ_DATA/plugins"
    if compgen -G "$all/*.ez" >/dev/null || ! compgen -G "$all/rabbit-[0-9]*/ebin" >/dev/null; then
        ln -s "$all" "$RABBITMQ_DATA/plugins"
        return
    fi
    mkdir "$RABBITMQ_DATA/plugins"
    while [ -n "$wanted" ]; do
        name=${wanted%% *}
        wanted=${wanted:${#name}}
        wanted=${wanted# }
        found=$(compgen -G "$all/$name-[0-9]*" | tail -n 1) || continue # one of Erlang's own
        [ ! -e "$RABBITMQ_DATA/plugins/${found##*/}" ] || continue
        ln -s "$found" "$RABBITMQ_DATA/plugins/"
        wanted="$wanted $(tr -d '[:space:]' <"$found/ebin/$name.app" | sed -nE 's/.*\{applications,\[([^]]*)\]\}.*/\1/p' | tr , ' ')"
    done
}

# Listening is not enough: the node answers the protocol's greeting only when it has come up wholly.
rabbitmq_answers() {
    local port
    port=$(recall RABBITMQ_PORT) || return 1
    (
        exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 1
        printf 'AMQP\0\0\x09\x01' >&3
        read -r -t 2 -n 1 -u 3 _
    ) 2>/dev/null || return 1
    [ "$(http_status "http://127.0.0.1:$(recall RABBITMQ_MANAGEMENT_PORT)" /api/overview "signup:$(recall RABBITMQ_PASSWORD)")" = 200 ]
}

rabbitmq_up_or_dead() { rabbitmq_answers || gone rabbitmq_running; }
rabbitmq_running() { is_process "$(pid_in "$RABBITMQ_PIDFILE")" "$RABBITMQ_MARK"; }

# In the command line of the script and of the node it becomes, so that its process is known from any other.
RABBITMQ_MARK="signup_state $(printf '%s' "$STATE" | cksum | tr ' ' -)"

rabbitmq_up() {
    if rabbitmq_running; then
        wait_until 60 rabbitmq_up_or_dead && rabbitmq_answers && return
        rabbitmq_kill
    fi
    local scripts
    rabbitmq_binaries
    scripts=$(rabbitmq_scripts)
    rabbitmq_end_names
    rabbitmq_configure
    rabbitmq_plugins "$scripts"
    (
        rabbitmq_environment
        cd "$RABBITMQ_DATA" || exit
        # Started here rather than by Erlang, so that it is known and can be ended.
        detached "$STATE/run/epmd.pid" "$RABBITMQ_LOG" "$(rabbitmq_epmd)" -port "$ERL_EPMD_PORT" -address 127.0.0.1
        wait_until 10 port_taken "$ERL_EPMD_PORT" || die "epmd does not start; see $RABBITMQ_LOG"
        # With input allowed the script becomes the Erlang process instead of waiting for it, so the process id is the broker's own.
        export RABBITMQ_ALLOW_INPUT=1
        # Schedulers for files wait a moment for the next before they sleep: to wake them for each of the thousands that the start reads doubles the time it takes.
        export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-noinput +sbwt none +sbwtdcpu none +sbwtdio short -kernel inet_dist_use_interface {127,0,0,1}'
        # shellcheck disable=SC2086 # a flag and its value
        detached "$RABBITMQ_PIDFILE" "$RABBITMQ_LOG" "$scripts/rabbitmq-server" -$RABBITMQ_MARK
    )
    wait_until 180 rabbitmq_up_or_dead || true
    if ! rabbitmq_answers; then
        tail -n 30 "$RABBITMQ_LOG" >&2
        die "RabbitMQ does not start; all of it is in $RABBITMQ_LOG"
    fi
    rabbitmq_settle
}

rabbitmq_epmd() { # on PATH, or inside Erlang's own folder
    command -v epmd || find "$(erl -noshell -eval 'io:put_chars(code:root_dir()), halt().')" -name epmd -type f -perm -u+x | head -n 1
}

rabbitmq_ctl() { # ARGUMENTS of rabbitmqctl
    local scripts
    scripts=$(rabbitmq_scripts)
    (
        rabbitmq_environment
        limited 60 "$scripts/rabbitmqctl" --quiet "$@"
    ) >>"$RABBITMQ_LOG" 2>&1 9>&-
}

rabbitmq_block() { rabbitmq_ctl set_disk_free_limit 2000GB; }
rabbitmq_unblock() { rabbitmq_ctl set_disk_free_limit "$RABBITMQ_DISK"; }
rabbitmq_freeze() { kill -STOP "$(pid_in "$RABBITMQ_PIDFILE")"; }
rabbitmq_thaw() { kill -CONT "$(pid_in "$RABBITMQ_PIDFILE")"; }

rabbitmq_settle() { # what a node must be told once for each version of RabbitMQ
    local version
    version=$(sed -nE 's/.*Starting RabbitMQ ([0-9]+[0-9.]*).*/\1/p' "$RABBITMQ_LOG" | tail -n 1)
    [ "$(recall RABBITMQ_SETTLED || true)" != "$version" ] || return 0
    {
        # A new node has all feature flags on; data of an older version has not.
        rabbitmq_ctl enable_feature_flag all
        # From 4.0 on a quorum queue drops a message after 20 deliveries; ours count their own, and end in the queue "error".
        # It is this number because NServiceBus and ServiceControl refuse to start on any other (docs/runbook.md).
        case $version in
            [0-3].*) ;;
            *) rabbitmq_ctl set_policy -p / signup-no-delivery-limit '.*' '{"delivery-limit": 100000}' --apply-to quorum_queues ;;
        esac
    } || die "RabbitMQ runs, but could not be set up; see $RABBITMQ_LOG"
    remember RABBITMQ_SETTLED "$version"
}

rabbitmq_end_names() { end_process "$STATE/run/epmd.pid" epmd TERM 5; }

rabbitmq_down() {
    end_process "$RABBITMQ_PIDFILE" "$RABBITMQ_MARK" TERM 60
    rabbitmq_end_names
}

rabbitmq_kill() {
    end_process "$RABBITMQ_PIDFILE" "$RABBITMQ_MARK" KILL 10
    rabbitmq_end_names
}

rabbitmq_uri() { printf 'amqp://signup:%s@127.0.0.1:%s' "$(recall RABBITMQ_PASSWORD)" "$(recall RABBITMQ_PORT)"; }
rabbitmq_management() { printf 'http://signup:%s@127.0.0.1:%s' "$(recall RABBITMQ_PASSWORD)" "$(recall RABBITMQ_MANAGEMENT_PORT)"; }
