#!/bin/sh
# Compiles Toxiproxy's modules into Go's cache, beside the installation of shaketable, which uses one core; `shaketable
# doctor` then only links them. Without Go, or where Toxiproxy is there already, it does nothing.
command -v go >/dev/null && ! command -v toxiproxy-server >/dev/null || exit 0
ls "${XDG_CACHE_HOME:-$HOME/.cache}"/shaketable/toxiproxy-*/toxiproxy-server >/dev/null 2>&1 && exit 0
cd "$(dirname "$0")/../shaketable/stack/toxiproxy/pinned" || exit 0
CGO_ENABLED=0 GOFLAGS=-modcacherw GOWORK=off go build -mod=readonly -trimpath -o /dev/null \
    github.com/Shopify/toxiproxy/v2/cmd/server >/dev/null 2>&1 || true
