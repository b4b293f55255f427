"""Comparison: several targets under the same scenarios, events and faults.

`targets` finds the targets, and `player` plays the cells. `comparison` holds the runs on disk, `run_index` reads them,
`cell` and `measures` say what each showed, and `forms` and `page` present them; `environment_summary` says what they
ran on.
"""
