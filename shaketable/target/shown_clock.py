"""The wall clock of a process of the target, as its answers show it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from shaketable.target.bounded_http import NoResponse, get

#: Seconds that the answer may take.
ANSWER_S = 1.0


def offset_s(url: str) -> float | None:
    """Seconds by which the Date header (RFC 9110, 6.6.1) is ahead of this machine's clock.

    None without the header, or without an answer in time: one that was held up shows an earlier time. It has whole
    seconds, and servers renew it once a second: it may be 2 s late.
    """
    asked = time.monotonic()
    try:
        shown = get(url, ANSWER_S).headers.get("date", "")
        ahead = parsedate_to_datetime(shown).timestamp() - time.time()
        return ahead if time.monotonic() - asked <= ANSWER_S else None
    except (NoResponse, ValueError):
        return None
