"""The clients' link: to the port of the intake, or to the service to which a sender sends."""

from __future__ import annotations

import os

from shaketable.stack.stack import CLIENTS, Address, Link, Stack
from shaketable.target import services
from shaketable.target import variables as target_variables
from shaketable.target.manifest import Manifest

#: The service of a link to the intake.
INGEST = "ingest"


def leads_to(manifest: Manifest) -> str | None:
    """The service of the clients' link; None for a sender that sends past the harness."""
    return INGEST if manifest.ingest.process else manifest.ingest.service


def link(stack: Stack, manifest: Manifest, port: int | None) -> Link | None:
    """The clients' link, made; `port` is that of the intake."""
    service = leads_to(manifest)
    if service == INGEST:
        assert port is not None
        return stack.add_link(CLIENTS, service, Address("127.0.0.1", port))
    return stack.add_link(CLIENTS, service) if service else None


def variables(stack: Stack, manifest: Manifest, through: Link | None) -> dict[str, str]:
    """A sender's own variables, and those that lead it to where it sends."""
    if manifest.ingest.sender is None:
        return {}
    own = target_variables.of_sender(manifest, os.environ)
    if through is None:
        return own
    if through.service == INGEST:
        return {**own, target_variables.ADDRESS: str(through.listen)}
    return own | services.through(stack, manifest, {through.service: through}, CLIENTS)
