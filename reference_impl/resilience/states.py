"""The states of a circuit breaker."""

CLOSED, HALF_OPEN, OPEN = "CLOSED", "HALF_OPEN", "OPEN"
#: Worst last.
STATES = (CLOSED, HALF_OPEN, OPEN)
