"""Environments of a target's own: made on first use from what it pins, kept in the cache, named in its commands.

A kind of environment is one file here, one entry in KINDS, and one in `manifest.PLACEHOLDERS`: the key that asks for
it, and what commands call its program.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from shaketable.environments import python
from shaketable.environments.cached import Say
from shaketable.manifest import PLACEHOLDERS, Manifest

#: The key of the manifest that names what is pinned → what makes the program that fills its placeholder.
KINDS = {"requirements": python.program}


def programs(manifest: Manifest, folder: Path, say: Say) -> Mapping[str, str]:
    """What each placeholder of the manifest's commands stands for; `folder` is the manifest's.

    Makes what is missing, which may take a minute: `say` tells. Raises ToolchainMissing when that cannot be tried on
    this machine, HarnessError when it was tried and failed, ManifestError for a file that is not there.
    """
    made = {
        PLACEHOLDERS[key]: str(make(folder / named, say))
        for key, make in KINDS.items()
        if (named := getattr(manifest, key)) is not None
    }
    return {"{python}": sys.executable, **made}
