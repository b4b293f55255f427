"""The intake, or a worker; the hardened one under a supervisor (Workers: "use process managers … in production")."""

from __future__ import annotations

import sys
from importlib import import_module

from alternatives.common import intake
from alternatives.common.supervise import supervise

variant, part = sys.argv[1:]
if part == "supervisor":
    supervise([sys.executable, "-m", "alternatives.rq", variant, "worker"])
elif part == "worker":
    import_module(f"alternatives.rq.{variant}").work()
else:
    from alternatives.rq import dead_letters

    intake.serve(import_module(f"alternatives.rq.{variant}").enqueue, dead_letters=dead_letters)
