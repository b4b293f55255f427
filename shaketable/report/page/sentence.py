"""The verdict as a sentence of plain English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shaketable.checks import CHECKS
from shaketable.text import listed

#: The most laws that a headline names; it counts the others.
NAMED = 5
#: The most failed checks with their reasons in a headline.
SAID = 3


def verdict(doc: Mapping[str, Any]) -> str:
    """The run's verdict: passed, failed or unknown; "not judged" without a verdict."""
    found = doc.get("verdict") if doc else "not judged"
    return found if found in ("passed", "failed", "not judged") else "unknown"


def sentence(doc: Mapping[str, Any]) -> str:
    """The result of the run."""
    if not doc:
        return "This run has not been judged yet: run `shaketable check`."
    counting = {name: found for name, found in checks(doc).items() if counts(found)}
    by = {
        verdict: [name for name, found in counting.items() if found.get("verdict") == verdict]
        for verdict in ("failed", "unknown", "passed")
    }
    died = [str(death) for death in doc.get("deaths") or []]
    if by["failed"]:
        told = [_why(name, counting[name]) for name in by["failed"]]
        more = [f"{len(told) - SAID} more checks failed"] if len(told) > SAID + 1 else []
        return _sentence(died[:SAID] + told[: SAID if more else None] + more, "; ") + _others(len(by["passed"]))
    if doc.get("verdict") != "passed":
        reasons = died[:SAID] + [str(reason) for reason in doc.get("reasons") or []]
        reasons += [_why(name, counting[name]) for name in by["unknown"]]
        return (
            "The run cannot be judged: "
            + ("; ".join(reasons[: SAID + len(died[:SAID])]) or "nothing in it counts")
            + "."
        )
    broken = [name for name in by["passed"] if counting[name].get("expected")]  # as the scenario expects
    return _passed([name for name in by["passed"] if name not in broken], broken, len(doc.get("faults") or []))


def checks(doc: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The findings by check."""
    found = doc.get("checks")
    return {str(name): one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def counts(found: Mapping[str, Any]) -> bool:
    """Whether the scenario names the check, so that the run's verdict depends on it."""
    return bool(found.get("required"))


def _passed(names: list[str], broken: list[str], faults: int) -> str:
    """The laws that held, after those that were broken as expected."""
    kinds = CHECKS.kinds()
    known = [kinds[name].held for name in kinds if name in names and hasattr(kinds[name], "held")]
    more = len(names) - min(len(known), NAMED)
    parts = [f"{name} failed as expected" for name in broken]
    parts += known[:NAMED] + ([f"{more} more laws held" if more > 1 else "one more law held"] if more else [])
    through = f"Through {faults} fault{'s' * (faults > 1)}, " if faults else "With nothing broken, "
    return _sentence([through + listed(parts, NAMED + 1 + len(broken))], "")


def _why(name: str, found: Mapping[str, Any]) -> str:
    return f"{str(found.get('why') or 'the law was broken').rstrip('.')} ({name})"


def _others(passed: int) -> str:
    return f" {passed} other check{'s' * (passed > 1)} that count{'s' * (passed == 1)} passed." if passed else ""


def _sentence(parts: list[str], glue: str) -> str:
    told = glue.join(parts).rstrip(".")
    return f"{told[:1].upper()}{told[1:]}."
