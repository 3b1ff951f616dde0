#!/bin/bash
# Starts Postgres as the official image documents it. The first start makes the data directory from POSTGRES_USER,
# POSTGRES_PASSWORD, POSTGRES_DB and POSTGRES_INITDB_ARGS. The arguments are the server's command line.
set -euo pipefail
[[ "${1:-}" == postgres ]] || exec "$@"
: "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=$POSTGRES_USER}" "${POSTGRES_INITDB_ARGS:=}"

if [[ "$(id -u)" == 0 ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [[ ! -s "$PGDATA/PG_VERSION" ]]; then
  : "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD to the password of the superuser}"
  # POSTGRES_INITDB_ARGS holds several arguments, so it is split here.
  # shellcheck disable=SC2086
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") $POSTGRES_INITDB_ARGS
  printf "\nlisten_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n" >> "$PGDATA/postgresql.conf"
  printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
  # The server gets the arguments of the container, but listens only on a socket until the database exists.
  pg_ctl -w start -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p 5432)"
  if [[ "$POSTGRES_DB" != postgres ]]; then
    PGPASSWORD="$POSTGRES_PASSWORD" psql -v ON_ERROR_STOP=1 -h /var/run/postgresql -U "$POSTGRES_USER" -d postgres \
      -v name="$POSTGRES_DB" <<< 'CREATE DATABASE :"name"'
  fi
  pg_ctl -w -m fast stop
fi
exec "$@"
