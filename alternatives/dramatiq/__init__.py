"""Dramatiq 2 with its Redis broker: `defaults` as its user guide shows, `hardened` as its manual says for safety."""
