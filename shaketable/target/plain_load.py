"""A load outside a run, as a manifest describes it: `locust -f locustfiles/ingest.py --target order-service`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shaketable.load import headers
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.options import LoadOptions
from shaketable.target import manifest, variables
from shaketable.target.mix_table import SHARES


def of_target(options: LoadOptions, path: Path, env: Mapping[str, str]) -> LoadOptions:
    """The options with the manifest's event, intake and mix; an option that is not at its default stays.

    Raises ManifestError, or InputError for a variable that is not set.
    """
    found, folder = manifest.load(path), path.resolve().parent
    ingest, event = found.ingest, found.event
    told: dict[str, Any] = {
        "path": ingest.path,
        "method": ingest.method,
        "definite_refusals": frozenset(ingest.definite_refusals),
        "accepted": frozenset(ingest.accepted),
        "batch": ingest.batch,
        "sender": str(folder / ingest.sender) if ingest.sender else "",
    }
    defaults = {field.name: field.default for field in dataclasses.fields(LoadOptions)}
    left = {name: value for name, value in told.items() if getattr(options, name) == defaults[name]}
    shares = {name: min(getattr(options.mix, name), getattr(found.mix, name)) for name in SHARES}
    return dataclasses.replace(
        options,
        **left,
        mix=dataclasses.replace(options.mix, **shares),
        headers=headers.filled(ingest.headers, env),
        variables=variables.of_sender(found, env),
        max_bytes=ingest.max_bytes,
        numbers=found.capabilities.numbers is not None,
        own=OwnShapes(event, folder) if event else None,
    )
