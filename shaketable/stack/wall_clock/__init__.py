"""The wall clock of a process of the target, which a fault moves while CLOCK_MONOTONIC stays as it is.

`library` finds libfaketime, which LD_PRELOAD loads into the process; `clock` is the clock of one process, `clocks` are
those of a run, and `opens` counts how often the library reads a clock's file.
"""
