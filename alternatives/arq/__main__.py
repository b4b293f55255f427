"""The intake, or a worker; the hardened one under a supervisor, since a worker ends where a claim loses Redis.

(Reference, Worker: job_completion_wait is "useful together with terminationGracePeriodSeconds in kubernetes", which
starts again what ended.)
"""

from __future__ import annotations

import sys
from importlib import import_module

from alternatives.common import intake
from alternatives.common.supervise import supervise

variant, part = sys.argv[1:]
if part == "supervisor":
    supervise([sys.executable, "-m", "arq", f"alternatives.arq.{variant}.WorkerSettings"])
else:
    tasks = import_module(f"alternatives.arq.{variant}")
    intake.serve(tasks.enqueue, tasks.lifespan)
