"""A deliverer of webhooks with an outbox in PostgreSQL, as Standard Webhooks asks: an id, retries, at least once."""
