#!/bin/sh
# Writes .env with passwords nobody knows; one that is there is left alone.
set -eu
[ ! -e .env ] || { echo ".env is there already"; exit 0; }
umask 077
word() { od -An -N18 -tx1 /dev/urandom | tr -d ' \n'; }
for name in POSTGRES_PASSWORD EVENTS_PASSWORD VALKEY_PASSWORD GRAFANA_PASSWORD; do echo "$name=$(word)"; done > .env
echo "wrote .env: passwords for docker-compose.chaos.yml"
