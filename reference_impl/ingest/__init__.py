"""Ingest: `app` serves HTTP, `intake` decides and enqueues, and `preset_cache` holds the presets in force.

`server` runs uvicorn for every process; `header_timeout` bounds idle, slow and too many connections.
"""
