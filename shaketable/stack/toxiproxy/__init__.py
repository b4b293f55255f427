"""Toxiproxy: `build` compiles it, `server` runs it, `client` calls its API, and `repair` recovers a wedged server."""
