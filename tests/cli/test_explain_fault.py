"""`explain` prints a fault too, with its limits."""

from __future__ import annotations

import pytest

from shaketable.faults.kinds.disks.disk import DiskFault
from tests.conftest import Typed


@pytest.mark.parametrize("fault", ["power_loss", "disk_full", "slow_sync", "failing_sync"])
def test_fault_of_a_disk_is_explained_with_its_limits(fault: str, typed: Typed) -> None:
    done = typed("explain", fault)
    assert done.returncode == 0
    assert done.stdout.startswith(fault)
    assert DiskFault.limits in done.stdout


def test_fault_without_limits_is_explained_by_its_witness(typed: Typed) -> None:
    done = typed("explain", "latency")
    assert "Witness:" in done.stdout
    assert "Limits:" not in done.stdout
