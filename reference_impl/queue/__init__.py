"""The queue in Valkey or Redis: `streams` holds one stream a lane, `pipeline` appends to them over one connection.

`address` parses the server's address for both clients. `heartbeats` publish which workers are active, and
`resize_lanes` changes the number of lanes while nothing runs.
"""
