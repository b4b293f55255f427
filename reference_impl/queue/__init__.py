"""The queue in Valkey or Redis: `streams` holds one stream a lane, `pipeline` appends to them over one connection.

`heartbeats` publish which workers are active.
"""
