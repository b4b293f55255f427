"""Explore: search for the fault schedule that breaks a target, and shrink it to the smallest one.

`catalogue` holds the faults that `draw` draws trials from, and `libraries` looks for those that faults of disks and
clocks need. `trial` plays one and judges delivery; `lanes` plays several
at once, each on warm servers of its own. `search` plays earlier findings and drawn trials until the budget is spent.
`reduction` makes a finding of a failure: `shrink` makes it smaller, with a `memo` so that no candidate is played more
than twice, `confirm` repeats it on fresh servers, and `found` writes its scenario. `failed_run` reads a saved run to
shrink. `states` reads what a trial passed through and `coverage` counts it. `saved` keeps the position for the next
time, `progress` shows the state, `outcome` and `page` report what an `explored` target showed, and `command` is all of
it behind `shaketable explore` and `shaketable shrink`.

`spread` lets several workers explore: each plays a `share` of the trials.
"""
