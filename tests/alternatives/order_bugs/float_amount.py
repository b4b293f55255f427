"""An amount goes through a float, which loses digits."""

from __future__ import annotations

import runpy
from decimal import Decimal
from typing import Any

from alternatives.order_service import worker


def rounded(item: dict[str, Any]) -> Decimal:
    return Decimal(repr(float(item["amount"])))


worker.amount = rounded

if __name__ == "__main__":
    runpy.run_module("alternatives.order_service", run_name="__main__", alter_sys=True)
