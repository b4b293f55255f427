"""Resilience: how the processor behaves while a server or the network fails.

The `circuit_breaker` permits attempts, and records each change of its state. `error_classes` give each error its
meaning. `background` has tasks that end together, their sleep, and the waits between retries.
"""
