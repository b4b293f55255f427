"""A run: one scenario against one target, phase by phase.

`scenario` names load, timeline, checks and settings; `profile` names several scenarios; `selection` and `order` make
orders of names and options; `playable` says whether a target can play a scenario.

`phases` plays an order, with `inputs` drawn beforehand and `drain` at the end, and records each phase in a `journal`.
`bring_up` starts stack and target, `load_process` sends the events, `liveness` watches their processes, and `early_end`
ends a run when one of the harness's own fails. `monitor` looks at all parts; `progress` shows the state, and `live`
redraws it at a terminal.
"""
