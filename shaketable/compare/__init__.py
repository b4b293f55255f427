"""Comparison: several targets under the same scenarios, events and faults.

`targets` finds the targets. `player` plays the cells, or `spread` on several machines. `comparison` manages the runs on
disk, and `run_index` reads them. `cell` and `measures` hold the results, and `forms` and `page` present them;
`environment_summary` describes the machine and versions.
"""
