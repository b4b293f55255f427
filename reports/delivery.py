"""What became of the events of a run: python reports/delivery.py [RUN_DIR]."""

from shaketable.cli.tables.delivery import report
from shaketable.cli.tables.script import main

if __name__ == "__main__":
    main(report, "What became of the events of a run, class by class and phase by phase.")
