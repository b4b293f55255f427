"""Readers: what a target has stored, dead-lettered and queued, read past every link and bounded in bytes and time.

`stored` gives the stored events, `queue` the number of pending ones. They read by SQL (`database`), by Redis keys
(`redis_keys`, `redis_entries`), by a URL of the target (`pages`), or by a command that prints (`command`). `ndjson`
reads the lines of the latter two. `reference` matches rows by the client's reference, where the server makes the ids.
"""
