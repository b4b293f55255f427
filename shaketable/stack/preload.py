"""LD_PRELOAD: the dynamic linker splits its value at spaces and colons, and has no way to quote one."""

from __future__ import annotations

from pathlib import Path


def problem(library: Path) -> str:
    """Why LD_PRELOAD cannot name the library; "" when it can."""
    odd = next((each for each in str(library) if each.isspace() or each == ":"), "")
    return f"the path {library} contains {odd!r}, at which LD_PRELOAD is split" if odd else ""
