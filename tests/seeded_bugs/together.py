"""The reference with several seeded bugs at once: `together.py FILE,FILE… COMMAND`, each the file of a bug."""

from __future__ import annotations

import runpy
import sys
from contextlib import suppress
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

if __name__ == "__main__":
    from reference_impl import __main__ as reference

    main, files = reference.main, sys.argv.pop(1).split(",")
    reference.main = lambda: 0  # a bug's file puts its defect in, then runs the reference: not yet
    for file in files:
        with suppress(SystemExit):
            runpy.run_path(file, run_name="__main__")
    sys.exit(main())
