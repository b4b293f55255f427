"""Dead letters: events that the store refuses, with the cause.

`isolation` finds the event that is at fault, `repository` stores it as a dead letter and reads and deletes these,
and `replay` stores the event after all.
"""
