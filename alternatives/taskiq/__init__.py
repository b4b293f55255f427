"""taskiq with taskiq-redis: `defaults` as its README shows, `hardened` as its manual says for safety."""
