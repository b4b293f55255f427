"""The queue: one stream a lane (`streams`), filled through a shared `pipeline` over `resp` at an `address`.

`heartbeats` tell which workers are alive, and `resize_lanes` changes the number of lanes while nothing runs.
"""
