"""The load: an open-loop schedule of events, and the Locust process that sends it.

`mix` says which events are sent and `schedule` when. Inside Locust, `send_queue` knows the next due event,
`dispatcher` hands it to a user over `http` and writes the journal, `outcome` classifies the response, and `stats`
counts. `retry_budget` bounds retries. `options` are the command-line options of the locustfiles. `locust_process`
starts all of it as a process of its own.
"""
