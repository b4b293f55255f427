"""Verdicts at the terminal: one run (`summary`), several runs (`overview`), several trials (`trials`)."""
