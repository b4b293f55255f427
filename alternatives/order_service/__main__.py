"""`python -m alternatives.order_service intake|work|migrate`."""

import sys

from alternatives.order_service import intake, migrate, worker

{"intake": intake.serve, "work": worker.work, "migrate": migrate.migrate}[sys.argv[1]]()
