"""External services: their URLs, and the rules for their use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from shaketable.errors import InputError
from shaketable.load.distributed.workers import is_loopback
from shaketable.stack import urls
from shaketable.stack.stack import Address

#: Environment variables that replace the options.
VARIABLES = {
    "--postgres": "SHAKETABLE_POSTGRES",
    "--redis": "SHAKETABLE_REDIS",
    "--postgres-admin": "SHAKETABLE_POSTGRES_ADMIN",
    "--toxiproxy": "TOXIPROXY_URL",
}


@dataclass(frozen=True)
class ExternalServices:
    """External services and the permissions of the run there. Raises InputError for URLs that may not be used."""

    postgres: str = ""  # as the target's role; a database of its own
    redis: str = ""
    postgres_admin: str = ""  # with the harness's role, if different
    toxiproxy: str = ""  # "": the run starts its own
    allow_remote: tuple[str, ...] = ()  # hosts beyond loopback
    allow_not_empty: bool = False

    def __post_init__(self) -> None:
        if not self.named():
            return
        for option, url in self.named().items():
            _check(option, url)
        if self.postgres_admin and not self.postgres:
            raise InputError("--postgres-admin needs --postgres URL, the same database with the target's own role")
        if self.postgres_admin and _database(self.postgres_admin) != _database(self.postgres):
            raise InputError("expected --postgres-admin to lead to the same server and database as --postgres")
        if self.toxiproxy and not is_loopback(urls.address(self.toxiproxy).host):
            raise InputError("expected --toxiproxy on this machine: the target reaches its proxies on loopback")
        hosts = {urls.address(url).host for url in self.named().values()}
        for host in hosts - set(self.allow_remote):
            if not is_loopback(host):
                raise InputError(f"{host} is not this machine: to break the way there, say --allow-remote {host}")
        if idle := set(self.allow_remote) - hosts:
            raise InputError(f"--allow-remote {', '.join(sorted(idle))}: no URL leads there")

    def check_for(self, needed: Iterable[str]) -> None:
        """Raise InputError unless the services that the target needs are given."""
        given = {"postgres": self.postgres, "redis": self.redis}
        if missing := [f"--{name} URL" for name in sorted(needed) if not given[name]]:
            raise InputError(f"--stack external needs {' and '.join(missing)}: the services that the target uses")

    def named(self) -> dict[str, str]:
        """The given URLs by their options."""
        told = {
            "--postgres": self.postgres,
            "--redis": self.redis,
            "--postgres-admin": self.postgres_admin,
            "--toxiproxy": self.toxiproxy,
        }
        return {option: url for option, url in told.items() if url}

    def warnings(self) -> list[str]:
        """Warnings about links to other machines that the run will break, and about TLS that a link weakens."""
        return [*self._breaks(), *self._unverified()]

    def _breaks(self) -> list[str]:
        return [
            f"about to break {urls.shown(url)}: links cut and delayed, sessions ended, the run's events written"
            for url in (self.postgres, self.redis)
            if url and not is_loopback(urls.address(url).host)
        ]

    def _unverified(self) -> list[str]:
        if not self.postgres or urls.query(self.postgres).get("sslmode") not in urls.VERIFIES:
            return []
        return [
            f"the target connects to {urls.shown(self.postgres)} with sslmode=require: a link has the address of this "
            "machine, so the name in the server's certificate cannot be checked there"
        ]


def _check(option: str, url: str) -> None:
    _check_query(option, url)
    wanted = {"--redis": ("redis",), "--toxiproxy": ("http",)}.get(option, ("postgresql", "postgres"))
    try:
        parts = urlsplit(url)
        sound = parts.scheme in wanted and bool(parts.hostname) and bool(urls.address(url).port)
        sound = sound and (parts.scheme in ("redis", "http") or urls.leads_where_it_says(url))
    except ValueError:
        sound = False
    if not sound:
        raise InputError(
            f"{option}: expected {wanted[0]}://HOST:PORT…, got another URL (not shown: it may hold a password)"
        )


def _check_query(option: str, url: str) -> None:
    """Raise InputError for query parameters that override the URL's host, port, user or database."""
    known = {"--redis": urls.REDIS, "--toxiproxy": frozenset[str]()}.get(option, urls.POSTGRES)
    try:
        odd = sorted(set(urls.query(url)) - known)
    except ValueError:
        return  # `_check` reports it as an invalid URL
    if odd:
        raise InputError(
            f"{option}: expected the server before the path, and behind `?` only "
            f"{', '.join(sorted(known)) or 'nothing'}: got {', '.join(odd)}"
        )


def _database(url: str) -> tuple[Address, str]:
    return urls.address(url), urlsplit(url).path
