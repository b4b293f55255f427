"""What every breaker of a run did: python reports/breaker.py [RUN_DIR]."""

from shaketable.cli.tables.breaker import report
from shaketable.cli.tables.script import main

if __name__ == "__main__":
    main(report, "Every breaker's stays in its states, and what the store received meanwhile.")
