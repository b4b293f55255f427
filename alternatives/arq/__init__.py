"""arq with Redis: `defaults` as its usage chapter shows, `hardened` as its manual says for safety."""
