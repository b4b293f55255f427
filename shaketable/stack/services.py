"""Services that somebody runs: what was given, and whether it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from shaketable.errors import InputError
from shaketable.stack import urls
from shaketable.stack.stack import Address

#: The variables that hold the URLs in place of options.
VARIABLES = {
    "--postgres": "SHAKETABLE_POSTGRES",
    "--redis": "SHAKETABLE_REDIS",
    "--postgres-admin": "SHAKETABLE_POSTGRES_ADMIN",
    "--toxiproxy": "TOXIPROXY_URL",
}


@dataclass(frozen=True)
class ExternalServices:
    """Services that somebody runs, and what the run may do there. Raises InputError for what may not be used."""

    postgres: str = ""  # as the target's role; a database of its own
    redis: str = ""
    postgres_admin: str = ""  # as the harness's role, if that is another
    toxiproxy: str = ""  # none: one of the run's own
    allow_remote: tuple[str, ...] = ()  # hosts beyond loopback
    allow_not_empty: bool = False

    def __post_init__(self) -> None:
        if not self.named():
            return
        if not (self.postgres and self.redis):
            raise InputError("--stack external needs --postgres URL and --redis URL: the services that it stands on")
        for option, url in self.named().items():
            _check(option, url)
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

    def named(self) -> dict[str, str]:
        """The URLs that were given, by their options."""
        told = {
            "--postgres": self.postgres,
            "--redis": self.redis,
            "--postgres-admin": self.postgres_admin,
            "--toxiproxy": self.toxiproxy,
        }
        return {option: url for option, url in told.items() if url}

    def warnings(self) -> list[str]:
        """What is about to be broken on other machines."""
        return [
            f"about to break {urls.shown(url)}: links cut and delayed, sessions ended, the run's events written"
            for url in (self.postgres, self.redis)
            if url and not is_loopback(urls.address(url).host)
        ]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by way of loopback."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    """Raises InputError for what would lead elsewhere than the URL's own host, port, user and database."""
    known = {"--redis": urls.REDIS, "--toxiproxy": frozenset[str]()}.get(option, urls.POSTGRES)
    try:
        odd = sorted(set(urls.query(url)) - known)
    except ValueError:
        return  # told as no URL
    if odd:
        raise InputError(
            f"{option}: expected the server before the path, and behind `?` only "
            f"{', '.join(sorted(known)) or 'nothing'}: got {', '.join(odd)}"
        )


def _database(url: str) -> tuple[Address, str]:
    return urls.address(url), urlsplit(url).path
