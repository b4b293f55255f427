"""Warm servers: local servers that stay up while one trial follows another, each in a fresh world.

`servers` starts them and opens the worlds, and has the `open` of a `Choice`: an Order may name it as its stack.
`world` is the stack of one trial. `postgres` and `valkey` return a server to the state in which it started,
whatever a fault or a target left there, and `templates` keeps the databases that a target's setup migrated.
"""

from __future__ import annotations

from shaketable.stack.warm.servers import WarmServers

__all__ = ["WarmServers"]
