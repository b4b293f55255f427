"""JSON Pointers (RFC 6901): find and replace a member. In patterns, `*` stands for each element or member."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

#: The steps from an object to a member: names, and indexes of arrays.
Path = tuple[str | int, ...]


def steps(pointer: str) -> tuple[str, ...]:
    """The unescaped names of a pointer."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def written(path: Sequence[str | int]) -> str:
    """A path as a pointer; unprintable characters of a name are escaped, since reports show it."""
    names = (json.dumps(str(step))[1:-1] if not str(step).isprintable() else str(step) for step in path)
    return "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)


def find(value: Any, path: Sequence[str | int]) -> Any:
    """The member at a path. Raises LookupError if there is none."""
    for step in path:
        if isinstance(value, list):
            value = value[_index(step)]
        elif isinstance(value, dict):
            value = value[step]
        else:
            raise LookupError(step)
    return value


def _index(step: str | int) -> int:
    if isinstance(step, str) and not (step.isascii() and step.isdigit()):
        raise LookupError(step)
    return int(step)


def replaced(value: Any, path: Sequence[str | int], new: Any) -> Any:
    """A copy with another member at a path; it may be a new name of an object. Raises LookupError without a parent."""
    if not path:
        return new
    step, *rest = path
    if isinstance(value, dict):
        inner = replaced(value[step], rest, new) if rest else new
        return {**value, str(step): inner}
    if isinstance(value, list):
        at = _index(step)
        return [*value[:at], replaced(value[at], rest, new), *value[at + 1 :]]
    raise LookupError(step)


def removed(value: Any, path: Path) -> Any:
    """A copy without the member at a path of names."""
    parent = find(value, path[:-1])
    return replaced(value, path[:-1], {name: inner for name, inner in parent.items() if name != path[-1]})


def members(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every member at any depth with its path, outer ones first."""
    inside: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(value, dict):
        inside = iter(value.items())
    elif isinstance(value, list):
        inside = enumerate(value)
    for step, inner in inside:
        yield (*path, step), inner
        yield from members(inner, (*path, step))


def fits(pattern: Sequence[str], path: Sequence[str | int]) -> bool:
    """Whether a path is one of a pattern's."""
    return len(pattern) == len(path) and all(p in ("*", str(s)) for p, s in zip(pattern, path, strict=True))
