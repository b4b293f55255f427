"""A Valkey server returned to the state in which it started: keys, scripts, users, settings and sessions."""

from __future__ import annotations

from typing import Any

import redis

from shaketable.stack.local_server import LocalServer
from shaketable.stack.stack import OWN_NAME
from shaketable.stack.valkey import ValkeyServer

#: Seconds that one command may take; a server that does not answer is started anew.
ANSWER_S = 2.0
#: Commands that remove what a target or a fault left, in this order.
CLEAN = (
    ("CLIENT", "UNPAUSE"),
    ("REPLICAOF", "NO", "ONE"),
    ("CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES"),
    ("CLIENT", "KILL", "TYPE", "PUBSUB", "SKIPME", "YES"),
    ("FLUSHALL", "SYNC"),
    ("SCRIPT", "FLUSH", "SYNC"),
    ("FUNCTION", "FLUSH", "SYNC"),
    ("CONFIG", "RESETSTAT"),
    ("SLOWLOG", "RESET"),
    ("ACL", "LOG", "RESET"),
)

State = tuple[dict[str, str], list[str], list[Any], int]


class WarmValkey:
    """`refresh` empties the server and takes back its settings; a server that refuses is replaced by an empty one."""

    def __init__(self, server: ValkeyServer) -> None:
        self._server = server
        with self._client() as client:
            self._fresh = _state(client)

    def refresh(self) -> None:
        """Raises HarnessError when the server does not come back."""
        LocalServer(self._server).resume()
        LocalServer(self._server).bring_back()
        try:
            with self._client() as client:
                self._clean(client)
                if _state(client) == self._fresh:
                    return
        except redis.RedisError:
            pass  # such as a changed password, or a pause of all clients
        self._server.replace()

    def is_fresh(self) -> bool:
        """Whether it holds no key, function, user or setting that it did not start with."""
        with self._client() as client:
            return _state(client) == self._fresh

    def _client(self) -> redis.Redis:
        url = self._server.url(self._server.address)
        return redis.Redis.from_url(
            url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, client_name=OWN_NAME, decode_responses=True
        )

    def _clean(self, client: redis.Redis) -> None:
        config, users, _, _ = self._fresh
        for command in CLEAN:
            client.execute_command(*command)  # type: ignore[no-untyped-call]
        now = client.config_get()
        for name, value in config.items():
            if now.get(name) != value:
                client.config_set(name, value)
        for name in {str(each) for each in client.acl_users()} - {rule.split()[1] for rule in users}:
            client.acl_deluser(name)


def _state(client: redis.Redis) -> State:
    """All settings, users, functions, and the number of keys in all databases."""
    keys = sum(int(each["keys"]) for each in client.info("keyspace").values())
    config = {str(name): str(value) for name, value in client.config_get().items()}
    return config, sorted(map(str, client.acl_list())), client.function_list(), keys
