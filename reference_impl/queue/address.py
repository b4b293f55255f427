"""The queue's address, parsed once for both of its clients: redis-py's and the intake's own pipeline."""

from __future__ import annotations

import inspect
import ssl
from typing import Any, cast
from urllib.parse import urlsplit

from redis.asyncio.connection import SSLConnection, parse_url
from redis.exceptions import RedisError

from reference_impl.errors import SettingsError

#: The options that both clients honour. Any other would be ignored by one of them.
OPTIONS = ("db", "username", "password")
TLS_OPTIONS = tuple(
    name for name in inspect.signature(SSLConnection).parameters if name.startswith("ssl_") and "flags" not in name
)
_OTHER_PARTS = {"host", "port", "path", "connection_class"}


def parse(url: str) -> dict[str, Any]:
    """Its parts, by redis-py's names. Raises ValueError, or SettingsError for an option that is not honoured."""
    address = cast(dict[str, Any], parse_url(url))
    known = OPTIONS + TLS_OPTIONS * url.startswith("rediss:")
    if unknown := sorted(address.keys() - _OTHER_PARTS - set(known)):
        raise SettingsError(f"REDIS_URL: expected no options but {', '.join(known)}, got {', '.join(unknown)}")
    if not url.startswith("unix:") and not (urlsplit(url).path.strip("/") or "0").isdecimal():
        raise ValueError("the database is not a number")
    tls(address)
    return address


def tls(address: dict[str, Any]) -> ssl.SSLContext | None:
    """The context that redis-py would use for this address; None without TLS. Raises SettingsError."""
    if address.get("connection_class") is not SSLConnection:
        return None
    try:
        options = {name: value for name, value in address.items() if name in TLS_OPTIONS}
        return SSLConnection(**options).ssl_context.get()
    except (OSError, ValueError, RedisError) as e:  # OSError: a file, or ssl.SSLError
        raise SettingsError(f"REDIS_URL: expected valid ssl options, got {type(e).__name__}: {e}") from None
