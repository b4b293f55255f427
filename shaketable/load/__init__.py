"""The load: an open-loop schedule of events, and the Locust process that sends it.

`mix` defines the events and `schedule` their times. Inside Locust, `send_queue` knows the next due event, `dispatcher`
assigns it to a user, which sends it over `http`, and writes the journal; `outcome` classifies the response, and `stats`
counts. `retry_budget` limits retries. `options` are the command-line options of the locustfiles, `headers` those of its
requests. `locust_process` runs all of it in a process of its own.
"""
