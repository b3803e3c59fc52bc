# shellcheck shell=bash
# RabbitMQ as a private instance: own nodes, data, logs, cookie and name daemon (epmd), all under the state directory. It is one node, or three that are one cluster
# (docs/cluster.md).

RABBITMQ_DISK=256MB # with less room than this it takes no messages

rabbitmq_count() { recall RABBITMQ_NODES || printf 1; }
rabbitmq_is_cluster() { [ "$(rabbitmq_count)" != 1 ]; }
rabbitmq_all() { seq 1 "$(rabbitmq_count)"; }
# Those that a command is about: RABBITMQ_ONLY, or all.
rabbitmq_nodes() { if [ -n "${RABBITMQ_ONLY:-}" ]; then say "$RABBITMQ_ONLY"; else rabbitmq_all; fi; }

rabbitmq_at() { # NODE: what follows is about that one; the first is called as if there were no others
    local other=${1#1}
    RABBITMQ_NODE=$1
    RABBITMQ_PIDFILE=$STATE/run/RabbitMQ$other.pid
    RABBITMQ_LOG=$STATE/log/RabbitMQ$other.log
    RABBITMQ_DATA=$STATE/rabbitmq$other
    RABBITMQ_KEY=RABBITMQ$other
    RABBITMQ_HOST=$(host_address "rabbitmq$1")
    # In the command line of the script and of the node it becomes, so that its process is known from any other.
    RABBITMQ_MARK="signup_state$other $(printf '%s' "$STATE" | cksum | tr ' ' -)"
}
rabbitmq_each() { each_node rabbitmq "$@"; } # COMMAND…
rabbitmq_name() { # NODE
    if has_network; then printf 'signup%s@rabbitmq%s' "${1#1}" "$1"; else printf 'signup%s@localhost' "${1#1}"; fi
}
rabbitmq_erlang_address() { printf '{%s}' "$(printf '%s' "$RABBITMQ_HOST" | tr . ,)"; }

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
    export ERL_EPMD_PORT ERL_EPMD_ADDRESS=$RABBITMQ_HOST
    ERL_EPMD_PORT=$(recall EPMD_PORT)
    export RABBITMQ_NODENAME
    RABBITMQ_NODENAME=$(rabbitmq_name "$RABBITMQ_NODE")
    ! has_network || export ERL_INETRC=$RABBITMQ_DATA/hosts
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
    RABBITMQ_DIST_PORT=$(recall "${RABBITMQ_KEY}_DIST_PORT")
    export RABBITMQ_CTL_ERL_ARGS
    RABBITMQ_CTL_ERL_ARGS="-kernel inet_dist_use_interface $(rabbitmq_erlang_address)"
}

rabbitmq_configure() {
    local node
    mkdir -p "$RABBITMQ_DATA"
    # The cookie lets its owner run anything inside the broker.
    chmod 700 "$RABBITMQ_DATA"
    port_for "${RABBITMQ_KEY}_DIST_PORT" >/dev/null
    : >"$RABBITMQ_DATA/rabbitmq-env.conf"
    printf '[rabbitmq_management].\n' >"$RABBITMQ_DATA/enabled_plugins"
    printf '[].\n' >"$RABBITMQ_DATA/advanced.config"
    if has_network; then
        for node in 1 2 3; do printf '{host, {%s}, ["rabbitmq%s"]}.\n' "$(host_address "rabbitmq$node" | tr . ,)" "$node"; done >"$RABBITMQ_DATA/hosts"
        printf '{lookup, [file, native]}.\n' >>"$RABBITMQ_DATA/hosts"
    fi
    (
        umask 077
        cat >"$RABBITMQ_DATA/rabbitmq.conf" <<CONF
listeners.tcp.1 = $RABBITMQ_HOST:$(port_for "${RABBITMQ_KEY}_PORT")
management.tcp.ip = $RABBITMQ_HOST
management.tcp.port = $(port_for "${RABBITMQ_KEY}_MANAGEMENT_PORT")
default_user = signup
default_pass = $(password RABBITMQ_PASSWORD)
log.console = true
log.console.level = info
# Half of a machine that is shared with the database and the endpoints, for all nodes.
vm_memory_high_watermark.relative = $([ "$(rabbitmq_count)" = 1 ] && printf 0.5 || printf 0.17)
$(sed -n '/^#/!p' "$ROOT/docker/parts/rabbitmq-cluster.conf")
disk_free_limit.absolute = $RABBITMQ_DISK
# The log ahead of the quorum queues is kept in memory until this size; the default, 512 MB, is made for a machine of its own.
raft.wal_max_size_bytes = 64000000
CONF
        if [ "$RABBITMQ_NODE" != 1 ]; then
            # Heeded by a node that has no data yet.
            printf 'cluster_formation.classic_config.nodes.1 = %s\n' "$(rabbitmq_name 1)" >>"$RABBITMQ_DATA/rabbitmq.conf"
            cp -pf "$STATE/rabbitmq/.erlang.cookie" "$RABBITMQ_DATA/.erlang.cookie"
        fi
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
    port=$(recall "${RABBITMQ_KEY}_PORT") || return 1
    limited 5 bash -c "$(
        cat <<'BASH'
        exec 3<>"/dev/tcp/$1/$2" || exit 1
        printf 'AMQP\0\0\x09\x01' >&3
        read -r -t 2 -n 1 -u 3 _
BASH
    )" - "$RABBITMQ_HOST" "$port" 2>/dev/null || return 1
    [ "$(http_status "http://$RABBITMQ_HOST:$(recall "${RABBITMQ_KEY}_MANAGEMENT_PORT")" /api/overview "signup:$(recall RABBITMQ_PASSWORD)")" = 200 ]
}

rabbitmq_up_or_dead() { rabbitmq_answers || gone rabbitmq_runs; }
rabbitmq_runs() { is_process "$(pid_in "$RABBITMQ_PIDFILE")" "$RABBITMQ_MARK"; }
rabbitmq_running() { rabbitmq_each rabbitmq_runs; }

rabbitmq_up() {
    local node found=
    rabbitmq_binaries
    for node in $(rabbitmq_nodes); do
        rabbitmq_at "$node"
        if rabbitmq_runs; then found="$found $node"; else rabbitmq_start; fi
        # One that joins needs those that are there already; nodes that have been together wait for each other.
        [ -e "$RABBITMQ_DATA/joined" ] || rabbitmq_await
    done
    for node in $(rabbitmq_nodes); do
        rabbitmq_at "$node"
        case "$found " in *" $node "*)
            if wait_until 60 rabbitmq_up_or_dead && rabbitmq_answers; then continue; fi
            rabbitmq_end KILL 10
            rabbitmq_start
            ;;
        esac
        rabbitmq_await
    done
    [ -n "${RABBITMQ_ONLY:-}" ] || rabbitmq_settle
}

rabbitmq_await() {
    wait_until 180 rabbitmq_up_or_dead || true
    if ! rabbitmq_answers; then
        tail -n 30 "$RABBITMQ_LOG" >&2
        die "RabbitMQ does not start; all of it is in $RABBITMQ_LOG"
    fi
    : >"$RABBITMQ_DATA/joined"
}

rabbitmq_start() {
    local scripts
    scripts=$(rabbitmq_scripts)
    # The nodes find each other by it: it stays as long as any runs.
    (rabbitmq_any rabbitmq_runs) || port_for EPMD_PORT >/dev/null
    rabbitmq_configure
    rabbitmq_plugins "$scripts"
    (
        rabbitmq_environment
        cd "$RABBITMQ_DATA" || exit
        rabbitmq_names
        # With input allowed the script becomes the Erlang process instead of waiting for it, so the process id is the broker's own.
        export RABBITMQ_ALLOW_INPUT=1
        # Schedulers for files wait a moment for the next before they sleep: to wake them for each of the thousands that the start reads doubles the time it takes.
        export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput +sbwt none +sbwtdcpu none +sbwtdio short -kernel inet_dist_use_interface $(rabbitmq_erlang_address)"
        # In seconds: who would talk to a node that has just gone waits for so long that it let one in, 7 by default (docs/cluster.md).
        ! rabbitmq_is_cluster || RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="$RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS -kernel net_setuptime 2"
        # shellcheck disable=SC2086,SC2046 # a flag and its value
        detached "$RABBITMQ_PIDFILE" "$RABBITMQ_LOG" $(on_host "rabbitmq$RABBITMQ_NODE") "$scripts/rabbitmq-server" -$RABBITMQ_MARK
    )
}

# Where the nodes' names are known: one for all, or one on each host. Started here rather than by Erlang, so that it is known and can be ended.
rabbitmq_names_file() { if has_network; then printf '%s/run/epmd%s.pid' "$STATE" "$RABBITMQ_NODE"; else printf '%s/run/epmd.pid' "$STATE"; fi; }
rabbitmq_names() {
    ! is_process "$(pid_in "$(rabbitmq_names_file)")" epmd || return 0
    # shellcheck disable=SC2046 # words of a command
    detached "$(rabbitmq_names_file)" "$RABBITMQ_LOG" $(on_host "rabbitmq$RABBITMQ_NODE") "$(rabbitmq_epmd)" -port "$ERL_EPMD_PORT" -address "$RABBITMQ_HOST"
    wait_until 10 port_taken "$ERL_EPMD_PORT" "$RABBITMQ_HOST" || die "epmd does not start; see $RABBITMQ_LOG"
}

rabbitmq_epmd() { # on PATH, or inside Erlang's own folder
    command -v epmd || find "$(erl -noshell -eval 'io:put_chars(code:root_dir()), halt().')" -name epmd -type f -perm -u+x | head -n 1
}

rabbitmq_ctl() { rabbitmq_tool rabbitmqctl "$@"; } # ARGUMENTS
rabbitmq_tool() { # NAME ARGUMENTS
    local scripts
    scripts=$(rabbitmq_scripts)
    (
        rabbitmq_environment
        # shellcheck disable=SC2046 # words of a command
        limited 60 $(on_host "rabbitmq$RABBITMQ_NODE") "$scripts/$1" --quiet "${@:2}"
    ) >>"$RABBITMQ_LOG" 2>&1 9>&-
}

rabbitmq_block() { rabbitmq_each rabbitmq_ctl set_disk_free_limit 2000GB; }
rabbitmq_unblock() { rabbitmq_each rabbitmq_ctl set_disk_free_limit "$RABBITMQ_DISK"; }
rabbitmq_freeze() { rabbitmq_each rabbitmq_signal STOP; }
rabbitmq_thaw() { rabbitmq_each rabbitmq_signal CONT; }
rabbitmq_signal() { kill "-$1" "$(pid_in "$RABBITMQ_PIDFILE")"; }

# From one node to three, or back, while it is in use: each can be repeated where it was interrupted.
rabbitmq_resize() { # NODES
    local node
    rabbitmq_up
    for node in 2 3; do
        [ "$node" -le "$1" ] || continue
        if [ "$node" -gt "$(rabbitmq_count)" ]; then
            rm -rf "$STATE/rabbitmq$node"
            remember RABBITMQ_NODES "$node"
            rabbitmq_up
        fi
        # A queue is where it was declared; those that are on fewer nodes than they should be get a copy here.
        rabbitmq_at 1
        rabbitmq_tool rabbitmq-queues grow "$(rabbitmq_name "$node")" all || die "the queues could not be given a copy on the new node; see $RABBITMQ_LOG"
    done
    for node in 3 2; do
        if [ "$node" -le "$1" ] || [ "$node" -gt "$(rabbitmq_count)" ]; then continue; fi
        rabbitmq_at 1
        rabbitmq_tool rabbitmq-queues shrink "$(rabbitmq_name "$node")" || die "the queues could not be taken off the node; see $RABBITMQ_LOG"
        # It leaves while it runs: of two nodes the other stops serving when one stops, having no majority any more.
        rabbitmq_at "$node"
        { rabbitmq_ctl stop_app && rabbitmq_ctl reset; } || die "the node could not be taken out of the cluster; see $RABBITMQ_LOG"
        rabbitmq_end TERM 60
        remember RABBITMQ_NODES "$((node - 1))"
        rm -rf "$STATE/rabbitmq$node"
    done
}

rabbitmq_settle() { # what it must be told once for each version of RabbitMQ
    local version
    rabbitmq_at 1
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

rabbitmq_end() { # SIGNAL SECONDS
    end_process "$RABBITMQ_PIDFILE" "$RABBITMQ_MARK" "$1" "$2"
    if ! has_network && (rabbitmq_any rabbitmq_runs); then return; fi
    end_process "$(rabbitmq_names_file)" epmd TERM 5
}
rabbitmq_any() { # COMMAND…: whether it is true at one of all nodes
    local node
    for node in $(rabbitmq_all); do
        rabbitmq_at "$node"
        ! "$@" || return 0
    done
    return 1
}

# All at once: one that sees the others go may stop to serve, and then takes long to stop.
rabbitmq_down() { rabbitmq_end_all TERM 60; }
rabbitmq_kill() { rabbitmq_end_all KILL 10; }
rabbitmq_end_all() {
    local node
    for node in $(rabbitmq_nodes); do
        (
            rabbitmq_at "$node"
            rabbitmq_end "$@"
        ) &
    done
    wait
}

rabbitmq_uri() { rabbitmq_address amqp PORT; }
rabbitmq_management() { rabbitmq_address http MANAGEMENT_PORT; }
rabbitmq_address() { # SCHEME KEY: all nodes, with commas between
    local node hosts=
    for node in $(rabbitmq_all); do
        rabbitmq_at "$node"
        hosts=$hosts,$RABBITMQ_HOST:$(recall "${RABBITMQ_KEY}_$2") || return
    done
    printf '%s://signup:%s@%s' "$1" "$(recall RABBITMQ_PASSWORD)" "${hosts#,}"
}
