"""A run: one scenario against one target, phase by phase.

`scenario` names load, timeline, checks and settings; `profile` names several scenarios; `selection` and `order` make
orders of names and options; `playable` says whether a target can play a scenario.

`phases` plays an order, with `inputs` drawn beforehand and `drain` at the end; `progress` shows the state, and `live`
redraws it at a terminal. `bring_up` starts stack and target, `liveness` watches their processes.
"""
