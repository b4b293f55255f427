"""Celery on Redis: `python -m alternatives.celery defaults|hardened intake|worker`."""
