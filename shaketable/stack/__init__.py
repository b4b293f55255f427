"""The stack: PostgreSQL, Valkey and the proxied links that a target uses.

`stack` is the protocol and `choice` selects a kind: `local`, `containers`, `compose` or `external`, which share
`host`. `warm` keeps local servers up from one run to the next. `postgres`, `valkey`, `binaries` and `local_server` are
the local servers; `server_options` sets how they run, and `disk_shim` breaks their disks. `wall_clock` moves the
clocks of the target's processes. `engine`, `container_child`, `container_server` and `project` are servers in
containers; `external_services` and `urls` describe external ones, and `own_schema` is the schema of faults in a
database. `service` describes a service of the target's own, `service_server` starts it, and `probe` asks whether it
answers. `toxiproxy` has its client, build, server and repair; `golang` builds programs from the Go module proxy.
`process` starts children on `ports` of the run, `supervisor` ends them when the harness dies, and `undo` holds its
undo actions. `gate` holds a child back until the supervisor knows it, `preload` checks a path for LD_PRELOAD, `mark`
finds processes that daemonised, `log_bound` limits logs, `segments` removes shared memory of dead servers, and
`scratch` names the run's temporary folder.
"""
