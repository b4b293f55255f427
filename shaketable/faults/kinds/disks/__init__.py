"""The faults of a server's disk: `disk` holds the parts that all of them share."""
