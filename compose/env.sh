#!/bin/sh
# Write .env with random passwords; an existing file stays as it is.
set -eu
[ ! -e .env ] || { echo ".env exists already"; exit 0; }
umask 077
word() { od -An -N18 -tx1 /dev/urandom | tr -d ' \n'; }
for name in POSTGRES_PASSWORD EVENTS_PASSWORD VALKEY_PASSWORD GRAFANA_PASSWORD; do echo "$name=$(word)"; done > .env
echo "wrote .env: passwords for docker-compose.chaos.yml"
