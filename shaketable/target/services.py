"""A target's services: what its stack must provide, and the variables that lead a process to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from shaketable.stack import service as spec
from shaketable.stack.service import BUILT_IN, OUTBOUND, Needs, Service
from shaketable.stack.stack import Link, Stack
from shaketable.target.manifest import PORT, Manifest, Process

#: The variables of the built-in services.
VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}


def needed(manifest: Manifest, folder: Path, programs: Mapping[str, str]) -> Needs:
    """The services that a stack must provide; `folder` is the manifest's, `programs` fill in placeholders."""
    own = [each for each in manifest.service if each.name not in BUILT_IN]
    values = {name.strip("{}"): program for name, program in programs.items()}
    commands = (tuple(spec.filled(word, values) for word in each.command) for each in own)
    ready = (msgspec.structs.replace(each, command=command) for each, command in zip(own, commands, strict=True))
    built_in = frozenset(name for name in manifest.services if name in BUILT_IN)
    return Needs(built_in, tuple(ready), (folder / manifest.cwd).resolve(), manifest.outbound is not None)


def through(stack: Stack, manifest: Manifest, links: Mapping[str, Link], title: str) -> dict[str, str]:
    """The variables of one process, through its links; `title` is its session name at Postgres."""
    urls = {name: _url(stack, link, title) for name, link in links.items() if name != OUTBOUND}
    found = _variables(manifest, urls)
    if manifest.outbound is not None:
        found[manifest.outbound.env] = f"http://{links[OUTBOUND].listen}{manifest.outbound.path}"
    return found


def ports(kind: Process, ports: Mapping[str, int]) -> dict[str, str]:
    """The ports of all processes, as HTTP_PORT_WORKER_1, and the process's own variables with them filled in."""
    found = {f"HTTP_PORT_{re.sub(r'[^A-Z0-9]', '_', name.upper())}": str(port) for name, port in ports.items()}
    own = {name: PORT.sub(lambda match: str(ports[match[1]]), value) for name, value in kind.env.items()}
    return found | own


def direct(stack: Stack, manifest: Manifest) -> dict[str, str]:
    """The variables of a command that is no part of the target, past every link."""
    own = [name for name in stack.services if name not in (*BUILT_IN, OUTBOUND)]
    urls = {name: stack.service_url(name, stack.address(name)) for name in own}
    if "postgres" in stack.services:
        urls["postgres"] = stack.owner_url()
    if "redis" in stack.services:
        urls["redis"] = stack.redis_url()
    return _variables(manifest, urls)


def _url(stack: Stack, link: Link, title: str) -> str:
    if link.service == "postgres":
        return stack.database_url(link, title)
    return stack.redis_link_url(link) if link.service == "redis" else stack.service_url(link.service, link.listen)


def _variables(manifest: Manifest, urls: Mapping[str, str]) -> dict[str, str]:
    named = {each.name: each for each in manifest.service}
    found = {VARIABLES[name]: url for name, url in urls.items() if name in VARIABLES}
    for name, url in urls.items():
        if (each := named.get(name)) is not None and (name not in BUILT_IN or each.env or each.url):
            found[each.variable] = _written(each, url)
    return found


def _written(service: Service, url: str) -> str:
    """The URL; of a built-in service with a `url` of its own, that with the parts of the URL filled in."""
    if service.name not in BUILT_IN or not service.url:
        return url
    parts = urlsplit(url)
    values = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
        "url": url,
    }
    return spec.filled(service.url, values)
