"""URLs of Postgres and Redis: read their address, and replace it."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from shaketable.stack.stack import Address

#: Default ports.
PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "http": 8474}

#: Allowed query parameters: none that name another server, user or database, or a file that does (libpq accepts
#: host, hostaddr, port, service, passfile…, redis-py host, port, path and connection_class).
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
#: The values of sslmode that check the server's certificate.
VERIFIES = frozenset({"verify-ca", "verify-full"})
REDIS = frozenset({"db", "health_check_interval", "protocol", "socket_connect_timeout", "socket_timeout"})


def query(url: str) -> dict[str, str]:
    """The query parameters of a URL. Raises ValueError for an invalid URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def leads_where_it_says(url: str) -> bool:
    """Whether libpq reads exactly one host and port from a Postgres URL, and the same ones as `address`."""
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
    """The host and port of a URL."""
    parts = urlsplit(url)
    return Address(parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme])


def through(url: str, at: Address, **query: str) -> str:
    """Replace the address of a URL, and add `query` to its parameters."""
    parts = urlsplit(url)
    user, _, _ = parts.netloc.rpartition("@")
    netloc = f"{user}@{at}" if user else str(at)
    asked = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **query}
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(asked, quote_via=quote)))


def demands_tls(url: str) -> bool:
    """Whether a Postgres URL forbids connections without TLS."""
    asked = query(url)
    return asked.get("sslmode") in VERIFIES | {"require"} or asked.get("channel_binding") == "require"


def through_link(url: str, at: Address, application_name: str) -> str:
    """A Postgres URL that leads through a link: with TLS only if the URL demands it, and without the server's name.

    The certificate names the server, and the link has the address of this machine: `require` checks no name. libpq
    accepts `sslrootcert=system` only with a check of the name.
    """
    mode = "require" if demands_tls(url) else "disable"
    found = through(url, at, sslmode=mode, application_name=application_name)
    parts = urlsplit(found)
    kept = {name: value for name, value in query(found).items() if (name, value) != ("sslrootcert", "system")}
    return urlunsplit(parts._replace(query=urlencode(kept, quote_via=quote)))


def shown(url: str) -> str:
    """The URL without its password, for messages."""
    parts = urlsplit(url)
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(SplitResult(parts.scheme, f"{user}{address(url)}", parts.path, "", ""))
