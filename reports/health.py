"""What the target said of its health: python reports/health.py [RUN_DIR]."""

from shaketable.cli.tables.health import report
from shaketable.cli.tables.script import main

if __name__ == "__main__":
    main(report, "The health score by phase and by fault, beside what could really be stored.")
