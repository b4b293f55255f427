"""Dead letters: events that the store refuses, with the cause.

`isolation` finds the event that is at fault, `model` describes it, `repository` reads and deletes it, `replay` stores
it after all, and `archive` writes it to files.
"""
