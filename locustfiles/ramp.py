"""ingest.py with another shape by default: `locust -f locustfiles/ramp.py --host http://127.0.0.1:8080`."""

from __future__ import annotations

from typing import Any

from ingest import Client, hooks, main

__all__ = ["Client"]


def choose_shape(parser: Any, **_: Any) -> None:
    """`--load-shape` still chooses any other."""
    parser.set_defaults(load_shape="ramp")


hooks.init_command_line_parser.add_listener(choose_shape)

if __name__ == "__main__":
    main()
