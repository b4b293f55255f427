"""The processors that `shaketable init` writes, by kind: the files of each, and its words in the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from shaketable.event import pointer
from shaketable.event.table import EventTable


@dataclass(frozen=True)
class Start:
    """A kind of processor: its files by the place of each, relative to the manifest, the one with the code first."""

    files: Mapping[str, str]  # the sources are in shaketable/starter
    environment: str  # the manifest's line that pins its packages
    program: str  # the words of its commands, as TOML
    place: str  # in the code: where the id is in an event
    written: Callable[[Sequence[str]], str]  # such a place, for the names that lead to an id


def _quoted(names: Sequence[str]) -> list[str]:
    """Names as literals of Python, JavaScript and Go alike."""
    return [json.dumps(name, ensure_ascii=False) for name in names]


def _within(kind: str, *names: str) -> dict[str, str]:
    return {f"service/{name}": f"{kind}/{name}" for name in names}


KINDS: Mapping[str, Start] = {
    "fastapi": Start(
        {"processor.py": "fastapi/processor.py", "requirements.txt": "fastapi/requirements.txt"},
        'requirements = "requirements.txt" # pinned and hashed: uv pip compile --universal --generate-hashes',
        '"{venv_python}", "processor.py"',
        'ID = ("id",)',
        lambda names: f"ID = ({', '.join(_quoted(names))},)",
    ),
    "express": Start(
        _within("express", "processor.js", "package.json", "package-lock.json"),
        'node = "service" # installed by npm ci, from package-lock.json; needs Node.js 20',
        '"{node}", "{node_folder}/processor.js"',
        "ID = ['id']",
        lambda names: f"ID = [{', '.join(_quoted(names))}]",
    ),
    "go": Start(
        _within("go", "main.go", "go.mod", "go.sum"),
        'go = "service" # built once for each change of a file there',
        '"{go_bin}/processor"',
        'id = []string{"id"}',
        lambda names: f"id = []string{{{', '.join(_quoted(names))}}}",
    ),
}


def source(name: str) -> str:
    """The text of a file in shaketable/starter."""
    return (resources.files("shaketable") / "starter" / name).read_text(encoding="utf-8")


def files(kind: str, event: EventTable, schema: str) -> dict[str, str]:
    """The files of a kind of processor by name, for events with this schema, given as text."""
    start = KINDS[kind]
    code, *others = start.files
    return {
        "target.toml": _manifest(start, event),
        code: source(start.files[code]).replace(start.place, start.written(pointer.steps(event.place))),
        **{name: source(start.files[name]) for name in others},
        str(event.schema): schema,
    }


def _manifest(start: Start, event: EventTable) -> str:
    text = source("own_event.toml").replace("PROGRAM", start.program).replace("ENVIRONMENT", start.environment)
    text = text.replace('id = "/id"', f"id = {json.dumps(event.place)}")
    text = text.replace('id_format = "uuid"', f"id_format = {json.dumps(event.id_format)}")
    return text.replace("# order_by = ", "order_by = ") if event.order_by else text
