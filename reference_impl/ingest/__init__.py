"""Ingest: `app` serves events over HTTP, `intake` validates them, after their presets, and adds them to the queue.

`server` runs uvicorn for every process, and limits slow, idle and too many clients.
"""
