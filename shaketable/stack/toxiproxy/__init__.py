"""Toxiproxy: `build` makes the program, `server` runs it, `client` speaks to it, `repair` replaces a wedged one."""
