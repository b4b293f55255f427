"""Resilience: how the processor behaves while a server or the network fails.

The `circuit_breaker` permits attempts, and the `transition_log` records each change between its `states`. `backoff`
computes the waits between retries, a `watchdog` bounds each call to the store, and `error_classes` give each error its
meaning. `background` tasks end together.
"""
