"""procrastinate, a task queue in PostgreSQL: `defaults` as its quick start shows, `hardened` as its how-tos say."""
