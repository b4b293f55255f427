"""The clock and the journal of a worker on another machine."""

from __future__ import annotations

import msgspec

from shaketable.load.distributed.offset import Offset, RoundTrip, drifted, measured
from shaketable.load.distributed.sent_journal import SentJournal
from shaketable.op import Kind, Op, Outcome, clock_op


def test_the_offset_is_that_of_the_shortest_round_trip_and_its_error_half_of_it() -> None:
    trips = [RoundTrip(0, 1_070, 100), RoundTrip(200, 1_210, 220), RoundTrip(300, 1_390, 400)]
    assert measured(trips) == Offset(1_000, 10)
    assert drifted(Offset(1_000, 10), Offset(1_050, 8)) == 58


def test_a_journal_elsewhere_is_in_the_time_of_the_master_and_without_its_own_wall_clock() -> None:
    sent: list[str] = []
    journal = SentJournal(sent.append)
    journal.write(clock_op("load-1"))
    journal.offset, journal.error = Offset(1_000, 7), 9
    journal.write(Op("load-1", Kind.READY, 1))
    journal.write(Op("load-1", Kind.INTENT, 5, None, None, "e", 1, {"due": 3, "emitted": 4, "n": 0, "held": 2}))
    journal.write(Op("load-1", Kind.SEND, 5, 8, Outcome.ACKNOWLEDGED, "e", 1, {"status": 202, "n": 0}))
    assert not sent
    journal.write(Op("load-1", Kind.DONE, 9, detail={"sent": 1}))
    assert msgspec.json.Decoder(Op).decode_lines("".join(sent)) == [
        Op("load-1", Kind.READY, 1_001, detail={"clock_offset": 1_000, "clock_error": 9}),
        Op("load-1", Kind.INTENT, 1_005, None, None, "e", 1, {"due": 1_003, "emitted": 1_004, "n": 0, "held": 2}),
        Op("load-1", Kind.SEND, 1_005, 1_008, Outcome.ACKNOWLEDGED, "e", 1, {"status": 202, "n": 0}),
        Op("load-1", Kind.DONE, 1_009, detail={"sent": 1, "clock_error": 9}),
    ]
