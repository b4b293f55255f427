"""The load: an open-loop schedule of events, and the Locust process that sends it.

`mix` defines the events and `schedule` their times. Inside Locust, `send_queue` knows the next due event, `dispatcher`
assigns it (`assignment`) to a user, which sends it over `http` or by a target's own `sender` (`sender_connection`;
`send_one` tries it alone) alone or in a `batch`, and gets a `reply`, and writes the journal; `outcome` classifies the
reply, and `stats` counts. `retry_budget` limits retries. `options` are the command-line options of the locustfiles,
`headers` those of its requests. `locust_process` runs all of it in a process of its own, or in several (`distributed`),
and reads their journals as they grow (`journal_tail`).
"""
