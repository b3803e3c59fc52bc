#!/usr/bin/env bash
# Starts one of PostgreSQL's three nodes in a container (docker/compose.cluster.yml): POSTGRES_NODE is its name. Where another one is the primary, this is a standby; one that was the primary
# before has, maybe, what no other has: it is copied anew, like one that has no data yet.
set -euo pipefail

others=
for node in postgres postgres2 postgres3; do [ "$node" = "$POSTGRES_NODE" ] || others=$others,$node; done
others=${others#,}
primary="host=$others port=5432 target_session_attrs=primary connect_timeout=3 user=signup_replica password=$POSTGRES_REPLICA_PASSWORD application_name=$POSTGRES_NODE"

if [ ! -f "$PGDATA/standby.signal" ]; then
    # The first makes the log where there is none; the others wait for it.
    until psql --no-psqlrc --quiet --command 'select' "$primary dbname=postgres" >/dev/null 2>&1 && found=yes; do
        [ "$POSTGRES_NODE" != postgres ] && [ ! -s "$PGDATA/PG_VERSION" ] || break
        sleep 1
    done
    if [ "${found:-}" = yes ]; then
        install --directory --owner postgres --mode 700 "$PGDATA"
        find "$PGDATA" -mindepth 1 -delete
        gosu postgres pg_basebackup --dbname "$primary" --pgdata "$PGDATA" --wal-method stream --checkpoint fast --write-recovery-conf
    fi
fi

settings=()
while IFS= read -r line; do
    case $line in '' | '#'*) ;; *) settings+=(-c "${line/ = /=}") ;; esac
done </etc/signup/postgresql-cluster.conf
exec docker-entrypoint.sh "$@" "${settings[@]}" -c "primary_conninfo=$primary" -c "synchronous_standby_names=FIRST 1 ($others)"
