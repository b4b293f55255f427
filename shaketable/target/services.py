"""A target's services: what its stack must provide, and the variables that lead a process to them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from shaketable.errors import ManifestError
from shaketable.stack import service as spec
from shaketable.stack.service import BUILT_IN, OUTBOUND, Needs, Service
from shaketable.stack.stack import Link, Stack
from shaketable.target import variables
from shaketable.target.manifest import Manifest, Process


def needed(manifest: Manifest, folder: Path, programs: Mapping[str, str]) -> Needs:
    """The services that a stack must provide; `folder` is the manifest's, `programs` fill in placeholders.

    Raises InputError for an environment variable that the target needs and that is not set, or a missing `cwd`.
    """
    variables.check(manifest, os.environ)
    if not (cwd := (folder / manifest.cwd).resolve()).is_dir():
        raise ManifestError(
            f"expected cwd to be a folder, relative to the manifest, got {manifest.cwd!r}: there is none"
        )
    own = [each for each in manifest.service if each.name not in BUILT_IN]
    values = {name.strip("{}"): program for name, program in programs.items()}
    commands = (tuple(spec.filled(word, values) for word in each.command) for each in own)
    ready = (msgspec.structs.replace(each, command=command) for each, command in zip(own, commands, strict=True))
    built_in = frozenset(name for name in manifest.services if name in BUILT_IN)
    queue = manifest.queue
    readers = (manifest.stored, queue, queue and queue.parked)
    return Needs(
        built_in,
        tuple(ready),
        cwd,
        manifest.outbound is not None,
        any(table.command for table in readers if table is not None),
    )


def through(stack: Stack, manifest: Manifest, links: Mapping[str, Link], title: str) -> dict[str, str]:
    """The variables of one process, through its links; `title` is its session name at Postgres."""
    urls = {name: _url(stack, link, title) for name, link in links.items() if name != OUTBOUND}
    found = _variables(manifest, urls)
    if manifest.outbound is not None and OUTBOUND in links:
        found[manifest.outbound.env] = f"http://{links[OUTBOUND].listen}{manifest.outbound.path}"
    return found


def ports(kind: Process, ports: Mapping[str, int]) -> dict[str, str]:
    """The ports of all processes, as HTTP_PORT_WORKER_1, and the process's own variables with them filled in."""
    found = {variables.port_of(name): str(port) for name, port in ports.items()}
    return found | variables.of_process(kind, ports, os.environ)


def direct(stack: Stack, manifest: Manifest) -> dict[str, str]:
    """The variables of a command that is no part of the target, past every link."""
    own = [name for name in stack.services if name not in (*BUILT_IN, OUTBOUND)]
    urls = {name: stack.service_url(name, stack.address(name)) for name in own}
    if "postgres" in stack.services:
        urls["postgres"] = stack.owner_url()
    if "redis" in stack.services:
        urls["redis"] = stack.redis_url()
    return _variables(manifest, urls)


def passwords(stack: Stack) -> set[str]:
    """The passwords of the servers that the harness started, also as a URL writes them."""
    urls = [stack.owner_url()] if "postgres" in stack.services else []
    urls += [stack.redis_url()] if "redis" in stack.services else []
    written = {urlsplit(url).password or "" for url in urls}
    own = {server.password for server in stack.own.values()}
    return {each for each in written | {unquote(each) for each in written} | own if each}


def _url(stack: Stack, link: Link, title: str) -> str:
    if link.service == "postgres":
        return stack.database_url(link, title)
    return stack.redis_link_url(link) if link.service == "redis" else stack.service_url(link.service, link.listen)


def _variables(manifest: Manifest, urls: Mapping[str, str]) -> dict[str, str]:
    named = {each.name: each for each in manifest.service}
    found = {variables.SERVICES[name]: url for name, url in urls.items() if name in BUILT_IN}
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
