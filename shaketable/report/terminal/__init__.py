"""The verdict at a terminal: one run, several runs, several trials."""
