"""Explore: search for the fault schedule that breaks a target, and shrink it to the smallest one.

`catalogue` holds the faults that `draw` draws trials from. `trial` plays one and judges delivery; `lanes` plays several
at once, each on warm servers of its own. `search` plays earlier findings and drawn trials until the budget is spent.
A failure is made smaller by `shrink`, whose `memo` plays no candidate more than twice, and repeated by `confirm` on
fresh servers; `found` writes its scenario. `saved` keeps the position for the next time, `progress` shows the state,
and `command` is all of it behind `shaketable explore`.
"""
