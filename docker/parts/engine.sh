# shellcheck shell=bash
# RabbitMQ and PostgreSQL as containers, where a Docker engine answers. One compose project per state directory, so that
# ./run and ./test do not meet.

engine_answers() {
    # SIGNUP_DOCKER=no: a way to have private instances in spite of an engine.
    [ "${SIGNUP_DOCKER:-}" != no ] && command -v docker >/dev/null && limited 20 docker info >/dev/null 2>&1 && limited 20 docker compose version >/dev/null 2>&1
}

engine_environment() { # what compose.yml asks for, one KEY=value a line
    cat <<ENV
COMPOSE_PROJECT_NAME=signup-$(printf '%s' "$STATE" | cksum | cut -d ' ' -f 1)
RABBITMQ_PORT=$(recall RABBITMQ_PORT || port_for RABBITMQ_PORT)
RABBITMQ_MANAGEMENT_PORT=$(recall RABBITMQ_MANAGEMENT_PORT || port_for RABBITMQ_MANAGEMENT_PORT)
RABBITMQ_PASSWORD=$(password RABBITMQ_PASSWORD)
RABBITMQ_COOKIE=$(password RABBITMQ_COOKIE)
POSTGRES_PORT=$(recall POSTGRES_PORT || port_for POSTGRES_PORT)
POSTGRES_PASSWORD=$(password POSTGRES_PASSWORD)
POSTGRES_OWNER_PASSWORD=$(password POSTGRES_OWNER_PASSWORD)
POSTGRES_REPLICA_PASSWORD=$(password POSTGRES_REPLICA_PASSWORD)
SIGNUP_SIGNING_KEY=$(secret SIGNUP_SIGNING_KEY)
ACCOUNTS_API_KEY=$(password ACCOUNTS_API_KEY)
UNIQUENESS_API_KEY=$(password UNIQUENESS_API_KEY)
QUERY_API_KEY=$(password QUERY_API_KEY)
OPS_API_KEY=$(password OPS_API_KEY)
MAIL_EVENTS_KEY=$(password MAIL_EVENTS_KEY)
ENV
}

engine_compose() {
    (
        umask 077
        engine_environment >"$STATE/compose.env"
    )
    # Minutes where images are still to come.
    limited 900 docker compose --file "$ROOT/docker/compose.yml" --env-file "$STATE/compose.env" "$@" 9>&-
}

engine_up() { # SERVICE NAME: its log and, where processes of containers are visible, its process id are kept like those of a private instance
    local container
    mkdir -p "$STATE/log" "$STATE/run"
    engine_compose up --detach --wait "$1" >>"$STATE/log/compose.log" 2>&1 || {
        tail -n 20 "$STATE/log/compose.log" >&2
        die "docker compose could not start $1; all of it is in $STATE/log/compose.log"
    }
    container=$(engine_compose ps --quiet "$1")
    limited 20 docker inspect --format '{{.State.Pid}}' "$container" >"$STATE/run/$2.pid"
    end_process "$STATE/run/$2-log.pid" logs TERM 5
    detached "$STATE/run/$2-log.pid" "$STATE/log/$2.log" docker logs --follow --since 1s "$container"
}

engine_down() { # SERVICE NAME
    end_process "$STATE/run/$2-log.pid" logs TERM 5
    engine_compose rm --stop --force "$1" >>"$STATE/log/compose.log" 2>&1 || warn "docker compose could not stop $1"
    rm -f "$STATE/run/$2.pid"
}

engine_kill() { engine_compose kill "$1" >>"$STATE/log/compose.log" 2>&1; } # SERVICE
engine_block() { engine_compose exec --no-TTY "$1" rabbitmqctl --quiet set_disk_free_limit 2000GB >>"$STATE/log/compose.log" 2>&1; } # SERVICE
engine_unblock() { engine_compose exec --no-TTY "$1" rabbitmqctl --quiet set_disk_free_limit 50MB >>"$STATE/log/compose.log" 2>&1; } # SERVICE
engine_freeze() { engine_compose pause "$1" >>"$STATE/log/compose.log" 2>&1; } # SERVICE
engine_thaw() { engine_compose unpause "$1" >>"$STATE/log/compose.log" 2>&1; } # SERVICE
engine_running() { [ -n "$(engine_compose ps --quiet --status running "$1" 2>/dev/null)" ]; } # SERVICE
engine_forget() { engine_compose down --volumes --remove-orphans >>"$STATE/log/compose.log" 2>&1; }
