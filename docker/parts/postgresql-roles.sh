# shellcheck shell=bash
# Run by PostgreSQL's image once, when its data is laid out: the roles of Signup, none of which is a superuser (the log would not be append-only to that one). From then on the superuser has
# no password, and is reached inside the container only. Nobody is there yet who could be waited for.
export PGOPTIONS='-c synchronous_commit=local'
psql --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
create role signup login createdb password '$POSTGRES_PASSWORD';
create role signup_owner login createdb in role signup password '$POSTGRES_OWNER_PASSWORD';
create role signup_replica login replication password '$POSTGRES_REPLICA_PASSWORD';
create database signup owner signup;
alter role postgres password null;
SQL
printf 'host replication signup_replica all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
