"""The headers of the load's requests: values come from the environment, and reach the load through its own alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from shaketable.errors import InputError
from shaketable.event import ids

#: The load's environment variable with the headers, as a JSON object.
VARIABLE = "SHAKETABLE_HEADERS"
_PLACE = re.compile(r"\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(headers: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Replace each `{env:NAME}`. Raises InputError for a variable that is not set, or with a line end in its value."""

    def value(name: str, variable: str) -> str:
        if variable not in env:
            raise InputError(
                f"expected the environment variable {variable} for ingest.headers.{name}, got none: set it"
            )
        if not env[variable].isprintable() or not env[variable].isascii():
            raise InputError(
                f"expected {variable} (ingest.headers.{name}) to be one line of ASCII: set it without more"
            )
        return env[variable]

    return {
        name: _PLACE.sub(lambda found, name=name: value(name, found[1]), told)  # type: ignore[misc]
        for name, told in headers.items()
    }


def traced(event_id: str) -> dict[str, str]:
    """A `traceparent` (W3C Trace Context) whose trace is the event's, sampled."""
    trace = ids.trace_of(event_id)
    return {"traceparent": f"00-{trace}-{trace[16:]}-01"}


def encoded(headers: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """The load's environment for these headers: no file of the run holds their values."""
    return {VARIABLE: json.dumps(filled(headers, env))} if headers else {}


def given(env: Mapping[str, str]) -> dict[str, str]:
    """The headers that the harness gave to this process."""
    return dict(json.loads(env.get(VARIABLE, "{}")))
