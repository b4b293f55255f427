"""The intake; workers are started by Dramatiq's own command."""

from __future__ import annotations

import sys
from importlib import import_module

from alternatives.common import intake
from alternatives.dramatiq import dead_letters

(variant,) = sys.argv[1:]
intake.serve(import_module(f"alternatives.dramatiq.{variant}").store_event.send, dead_letters=dead_letters)
