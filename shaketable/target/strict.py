"""The base of the manifest's tables."""

from __future__ import annotations

import msgspec


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the manifest; an unknown key is an error, since a typo would silently mean the default."""
