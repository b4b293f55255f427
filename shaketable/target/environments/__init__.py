"""A target's own environments: built on first use from pinned requirements, cached, and named in its commands.

A kind of environment is one file here, one entry in KINDS, and one in `manifest.PLACEHOLDERS`: the manifest's key, and
the placeholders in commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from shaketable.files.cached import Say
from shaketable.target.environments import go, node, python
from shaketable.target.manifest import PLACEHOLDERS, Manifest

#: By the manifest's key: a function that returns the paths for its placeholders, in their order.
KINDS: Mapping[str, Callable[[Path, Say], tuple[Path, ...]]] = {
    "requirements": python.paths,
    "node": node.paths,
    "go": go.paths,
}


def programs(manifest: Manifest, folder: Path, say: Say) -> Mapping[str, str]:
    """The values of the placeholders in the manifest's commands; `folder` is the manifest's.

    Builds missing environments, which may take a minute and is reported to `say`. Raises ToolchainMissing when the
    build needs a program that is missing, HarnessError when the build fails, ManifestError for a missing file.
    """
    made = {
        placeholder: str(path)
        for key, make in KINDS.items()
        if (named := getattr(manifest, key)) is not None
        for placeholder, path in zip(PLACEHOLDERS[key], make(folder / named, say), strict=True)
    }
    return {"{python}": sys.executable, **made}
