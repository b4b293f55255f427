"""`python -m shaketable.cli.in_cell`: a command that ends when the process that started it does."""

from __future__ import annotations

import os
import signal
import threading
import time

from shaketable.cli import main

#: Seconds that an interrupted command may take to heal and stop; after that its supervisor cleans up.
END_S = 15.0


def _end_with_starter() -> None:
    """Wait on a pipe that only the starter holds. A signal of the kernel would come with its thread's end already."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, daemon=True).start()
    main()
