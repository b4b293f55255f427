"""The intake, or a worker with a node name of its own (User Guide, Workers: several on one machine need that)."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from alternatives.common import intake

variant, part = sys.argv[1:]
tasks = import_module(f"alternatives.celery.{variant}")
if part == "intake":
    intake.serve(tasks.record.delay)
else:
    tasks.app.worker_main(["worker", "--loglevel=INFO", f"--hostname={os.environ['PROCESS']}@%h"])
