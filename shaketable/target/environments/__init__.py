"""Environments of a target's own: made on first use from what it pins, kept in the cache, named in its commands.

A kind of environment is one file here, one entry in KINDS, and one in `manifest.PLACEHOLDERS`: the key that asks for
it, and what commands call what is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from shaketable.files.cached import Say
from shaketable.target.environments import node, python
from shaketable.target.manifest import PLACEHOLDERS, Manifest

#: The key of the manifest that names what is pinned → what makes the paths that fill its placeholders, in their order.
KINDS: Mapping[str, Callable[[Path, Say], tuple[Path, ...]]] = {"requirements": python.paths, "node": node.paths}


def programs(manifest: Manifest, folder: Path, say: Say) -> Mapping[str, str]:
    """What each placeholder of the manifest's commands stands for; `folder` is the manifest's.

    Makes what is missing, which may take a minute: `say` tells. Raises ToolchainMissing when that cannot be tried on
    this machine, HarnessError when it was tried and failed, ManifestError for a file that is not there.
    """
    made = {
        placeholder: str(path)
        for key, make in KINDS.items()
        if (named := getattr(manifest, key)) is not None
        for placeholder, path in zip(PLACEHOLDERS[key], make(folder / named, say), strict=True)
    }
    return {"{python}": sys.executable, **made}
