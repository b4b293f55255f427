"""Delivery: a `worker` owns the lanes of its `assignment`, each held by a `lease` in the store.

A `consumer` reads a lane from its head, commits, then deletes; each call of the store is one `attempt`, which the
breaker permits.
"""
