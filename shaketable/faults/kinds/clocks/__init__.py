"""The faults of the wall clock of the target's processes: `clock` holds the parts that both share."""
