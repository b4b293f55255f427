"""Where a stack comes from: `local` (real servers from wheels, on loopback)."""

from __future__ import annotations
