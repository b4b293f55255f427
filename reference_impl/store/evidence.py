"""Evidence of what was stored: a head for each lane, and hashes that nobody without the key can make.

A head counts rows and sums a number that each row's id and hash give, in the transaction that stores them. So it needs
no order, no lane waits for another, and retention can take away what it drops.
"""

from __future__ import annotations

import hmac

#: Heads of no lane: of what no lane stored, of the integrity log, of what retention dropped (less than nothing).
REST, LOG, DROPPED = -1, -2, -3
#: A row's number. The function is the one that hash partitions go by: it stays what it is.
NUMBER = "hashbyteaextended(hash, id)"
#: Of rows: how many, and their sum.
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
    """A hash in hex as it is stored: with a key its HMAC-SHA-256."""
    return hmac.digest(key.encode(), digest.encode(), "sha256").hex() if key else digest
