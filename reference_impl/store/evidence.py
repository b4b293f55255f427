"""Evidence of the stored events: a head for each lane, and hashes that need the key.

A head counts rows and sums a number computed from each row's id and hash, in the transaction that stores the rows. A
sum depends on no order, so no lane waits for another, and retention can subtract the rows that it drops.
"""

from __future__ import annotations

import hmac

#: Heads of no lane: rows stored without a lane, the integrity log, and rows that retention dropped (negative).
REST, LOG, DROPPED = -1, -2, -3
#: A row's number. Hash partitions depend on this function, so PostgreSQL does not change it.
NUMBER = "hashbyteaextended(hash, id)"
#: The count and the sum of rows.
MEASURE = f"count(*), coalesce(sum({NUMBER}), 0)"
_ADDED = "on conflict (lane) do update set rows = audit_head.rows + excluded.rows, sum = audit_head.sum + excluded.sum"
ADD = f"""measured (rows, sum) as (select count(*), sum(number) from stored), head as (
    insert into audit_head (lane, rows, sum) select %s, rows, sum from measured where rows > 0 {_ADDED}
)"""
COUNT = f"insert into audit_head (lane, rows, sum) values ({LOG}, %s, 0) {_ADDED}"
SUBTRACT = f"""
insert into audit_head (lane, rows, sum)
select {DROPPED}, -rows, -sum from (select {MEASURE} from {{name}} where id > %s and id <= %s) as gone (rows, sum)
{_ADDED}
"""


def seal(digest: str, key: str) -> str:
    """The stored form of a hash in hex: with a key its HMAC-SHA-256."""
    return hmac.digest(key.encode(), digest.encode(), "sha256").hex() if key else digest
