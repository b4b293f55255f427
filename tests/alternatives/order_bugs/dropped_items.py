"""Only 255 items of an order are stored."""

from __future__ import annotations

import runpy
from typing import Any

from alternatives.order_service import worker


def cut(order: dict[str, Any]) -> dict[str, Any]:
    return whole({**order, "items": order["items"][:255]})


whole = worker.row
worker.row = cut

if __name__ == "__main__":
    runpy.run_module("alternatives.order_service", run_name="__main__", alter_sys=True)
