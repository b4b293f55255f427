"""One load from several processes: Locust's master and its workers, over Locust's own messages.

`workers` says how many there are, `share` splits the schedule, and `messages` are what master and workers send each
other. `roles` says which of the two a process is. The `master` assigns the shares and announces T0 once every worker is
ready; it sends no event itself. A `worker` plays its share.

A worker elsewhere has no run directory: the master sends it `parts`, and it is `remote`, measures the `offset` of the
master's clock, and returns its journal as a `sent_journal`.
"""
