"""Capacity: the highest rate that a target sustains, and the highest rate that the load generator reaches here.

`step` holds the result of one rate, and `search` chooses the next rate. `target_steps` plays a rate against the target,
`generator_steps` against `null_intake`, which accepts everything and stores nothing. `curve` holds both, `table` and
`page` show them, and `command` is all of it behind `shaketable capacity`.
"""
