"""Crash points: a target's processes die at each message that they exchange with a service, one trial a point.

`frames` reads the messages between a process and a service. `relay` passes them on, notes each kind, and springs a trap
at one of them; `relayed` puts a relay behind every link of a warm stack. `point` names a place where a process can die,
and `crash` is the fault that kills it there. `trial` plays one point, `survey` finds all points by a run without a
fault, and `lanes` plays trials at once. `verdict` makes sentences of the points that failed, `progress` shows how far
the search is, `table` prints the result, `page` writes it as one offline file, and `command` does all of it.
"""
