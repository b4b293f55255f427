"""Of the literal checks here: 16 MiB may vary, and 1 MiB for each event; warm after 3 s."""

from typing import Any

from shaketable.checks import MemoryBounded
from shaketable.checks.check import Finding, Verdict
from tests.support.book import Part
from tests.support.histories import absent, every, exited, history, probe, sent, started

MIB = 1 << 20
WORK = tuple(sent(f"e{n}", at=n).acknowledged(n + 0.1) for n in range(5, 45))


def judged(*parts: Part, **budgets: Any) -> Finding:
    return MemoryBounded(**({"per_event_bytes": MIB} | budgets)).judge(history(*parts))


def memory(process: str, begin: float, end: float, mib: float, more: float = 0.0) -> list[Part]:
    """Readings each second, growing by so much from one to the next."""
    return [
        probe(at, **{f"memory_{process}": int((mib + more * n) * MIB)}) for n, at in enumerate(every(1, begin, end))
    ]


def test_nobody_watched_is_unknown() -> None:
    assert judged().verdict is Verdict.UNKNOWN
    assert judged(*WORK, absent("probes.jsonl")).verdict is Verdict.UNKNOWN
    assert judged(*WORK, probe(*every(1, 0, 100))).verdict is Verdict.UNKNOWN


def test_steady_memory_passes_with_what_it_grew() -> None:
    found = judged(*WORK, started("worker-1"), *memory("worker-1", 0, 50, 60, 0.1))
    assert found.verdict is Verdict.PASSED, found
    assert found.counts == {"judged": 1, "leaking": 0, "growth_mib": 4.2, "growth_per_event_bytes": 110_100}


def test_process_that_grows_with_every_event_leaks() -> None:
    found = judged(*WORK, started("worker-1"), *memory("worker-1", 0, 50, 60, 2))
    assert found.verdict is Verdict.FAILED
    assert found.members == {"leaking": ["worker-1: 84.0 MiB in 40 events"]}
    assert judged(*WORK, *memory("worker-1", 0, 50, 60, 2), per_event_bytes=2 * MIB).verdict is Verdict.PASSED


def test_growth_before_it_is_warm_is_no_leak() -> None:
    warming = *memory("worker-1", 0, 6, 10, 20), *memory("worker-1", 6, 50, 120)
    assert judged(*WORK, *warming, warm_up_s=6).verdict is Verdict.PASSED
    assert judged(*WORK, *warming, warm_up_s=0).verdict is Verdict.FAILED


def test_too_few_events_to_tell_are_unknown() -> None:
    found = judged(*WORK[:10], *memory("worker-1", 0, 50, 60))
    assert found.verdict is Verdict.UNKNOWN
    assert "worker-1" in found.why
    assert judged(*WORK[:10], *memory("worker-1", 0, 50, 60), spare_mib=8).verdict is Verdict.PASSED


def test_each_life_of_a_process_is_measured_by_itself() -> None:
    lives = (
        started("worker-1", 0),
        *memory("worker-1", 0, 25, 60),
        exited("worker-1", 25),
        probe(25, memory_worker=0),
        started("worker-1", 26, incarnation=2),
        *memory("worker-1", 26, 50, 160),
    )
    found = judged(*WORK, *lives)
    assert (found.verdict, found.counts["growth_mib"]) == (Verdict.UNKNOWN, 0), found
    assert judged(*WORK, *lives, spare_mib=8, per_event_bytes=MIB).counts["judged"] == 2


def test_one_process_that_lived_too_briefly_leaves_the_law_open_unless_another_leaks() -> None:
    brief = memory("worker-2", 44, 49, 60)
    assert judged(*WORK, *memory("worker-1", 0, 50, 60), *brief).verdict is Verdict.UNKNOWN
    assert judged(*WORK, *memory("worker-1", 0, 50, 60, 2), *brief).verdict is Verdict.FAILED


def test_process_that_grew_in_too_few_events_is_unknown() -> None:
    grown = memory("worker-1", 0, 50, 60, 2)
    assert judged(*WORK[:10], *grown).verdict is Verdict.UNKNOWN
    assert judged(*WORK, *grown).verdict is Verdict.FAILED
