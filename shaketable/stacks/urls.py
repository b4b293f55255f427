"""URLs of Postgres and Redis: where they lead, and the same by way of another address."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from shaketable.stack import Address

#: Where they lead when they name no port.
PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "http": 8474}


def address(url: str) -> Address:
    """The host and port that a URL leads to."""
    parts = urlsplit(url)
    return Address(parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme])


def through(url: str, at: Address, **query: str) -> str:
    """The same URL by way of another address; `query` is set, and added to what it already asks for."""
    parts = urlsplit(url)
    user, _, _ = parts.netloc.rpartition("@")
    netloc = f"{user}@{at}" if user else str(at)
    asked = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **query}
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(asked, quote_via=quote)))


def shown(url: str) -> str:
    """The URL without its password, for people to read."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(SplitResult(parts.scheme, f"{user}{address(url)}", parts.path, "", ""))
