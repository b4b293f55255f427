"""URLs of Postgres and Redis: where they lead, and the same by way of another address."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from shaketable.stack.stack import Address

#: Where they lead when they name no port.
PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "http": 8474}

#: What may stand behind `?`: nothing that names another server, user or database, or a file that does (libpq reads
#: host, hostaddr, port, service, passfile… there, redis-py host, port, path and connection_class).
POSTGRES = frozenset(
    {
        "application_name",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "options",
        "sslcert",
        "sslkey",
        "sslmode",
        "sslrootcert",
    }
)
REDIS = frozenset({"db", "health_check_interval", "protocol", "socket_connect_timeout", "socket_timeout"})


def query(url: str) -> dict[str, str]:
    """What stands behind `?`. Raises ValueError for what is no URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def leads_where_it_says(url: str) -> bool:
    """Whether libpq reads one host and one port in a URL of Postgres, and the same as we do."""
    try:
        read, at = conninfo_to_dict(url), address(url)
    except (psycopg.Error, ValueError, KeyError):
        return False
    host = str(read.get("host", "")).strip("[]").lower()
    return (host, str(read.get("port", at.port))) == (at.host, str(at.port)) and not read.keys() & {
        "hostaddr",
        "service",
    }


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
