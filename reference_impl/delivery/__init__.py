"""Delivery: a `worker` owns the lanes of its `assignment`, each locked by a `lease` in the store.

A `consumer` reads a lane from its head, commits, then deletes.
"""
