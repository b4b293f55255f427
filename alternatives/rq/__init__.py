"""RQ on Redis: `python -m alternatives.rq defaults|hardened intake|worker`."""
