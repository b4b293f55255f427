"""The intake, or a worker with a node name of its own (User Guide, Workers: several on one machine need that).

The hardened one runs under a supervisor (Daemonization, "Usage systemd": `Restart=always`).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from alternatives.common import intake
from alternatives.common.supervise import supervise

variant, part = sys.argv[1:]
tasks = import_module(f"alternatives.celery.{variant}")
if part == "intake":
    intake.serve(tasks.record.delay)
elif part == "supervisor":
    supervise([sys.executable, "-m", "alternatives.celery", variant, "worker"])
else:
    tasks.app.worker_main(["worker", "--loglevel=INFO", f"--hostname={os.environ['PROCESS']}@%h"])
