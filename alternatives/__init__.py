"""Other people's processors behind the contract: what a task queue does with events when it is shaken.

`common` is what the Python ones share: the intake, the events' validation, the store. Each other folder is one library,
written as its users write it, twice: `defaults` as its quick start shows, `hardened` as its manual says for safety.
Each runs in an environment of its own, from its requirements.txt; nothing here is imported by the harness.
"""
