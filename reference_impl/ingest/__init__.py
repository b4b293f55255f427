"""Ingest: `app` serves events over HTTP, `intake` validates them and adds them to the queue.

`preset_cache` keeps the presets in force. `server` runs uvicorn for every process; `header_timeout` is its protocol for
slow, idle and too many clients.
"""
