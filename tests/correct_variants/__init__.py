"""Correct processors that differ from the reference: none of them may ever be failed."""
