#!/bin/sh
# At the first start: create the target's role, no superuser, and its database.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set password="$EVENTS_PASSWORD" <<'SQL'
create role events login password :'password';
create database events owner events;
SQL
