"""The id is stored in lower case."""

from __future__ import annotations

import runpy
from typing import Any

from alternatives.order_service import worker


def normalised(order: dict[str, Any]) -> dict[str, Any]:
    found = as_sent(order)
    return {**found, "id": found["id"].lower()}


as_sent = worker.row
worker.row = normalised

if __name__ == "__main__":
    runpy.run_module("alternatives.order_service", run_name="__main__", alter_sys=True)
