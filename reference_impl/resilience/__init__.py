"""Resilience: what stands between an attempt and the store.

The `circuit_breaker` permits attempts and the `transition_log` records its states; `backoff` says when to retry, a
`watchdog` bounds each call of the store, `error_classes` say what an error means, and `background` tasks end together.
"""
