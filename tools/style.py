"""Measure the project's prose and layout: `python -m tools.style [--worst N] [--all]`. Exit code 1 over a target.

Rates are per 1,000 words without code and tables; dramatiq, psycopg_pool and stamina have at most 0.4 free relatives.
Rows marked `open` are not enforced yet; `--all` enforces them too.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("shaketable", "reference_impl")
#: Measures that are not enforced yet.
OPEN: frozenset[str] = frozenset()
#: A relative clause without a noun: "what was kept", "who cannot". A question is none.
FREE_RELATIVE = re.compile(r"\b(what|whatever|who|whoever|whom)\b(?![^.?!]*\?)", re.I)
#: Everyday words in place of a term. Dead letters are a term.
HOMESPUN = re.compile(
    r"\b((?<!dead )(?<!dead-)letters?|tells?|told|asked of|kept|besides?|mend(ed)?|heeds?|unheard|deed|go(es|ne) wrong|"
    r"stands? there|lies? in|for good|by itself|as many as|so that nobody)\b",
    re.I,
)
_NOT_PROSE = re.compile(r"```.*?```|`[^`]*`|<!--.*?-->|^\|.*$", re.S | re.M)
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_BLANK = ("COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER")


@dataclass(frozen=True)
class Row:
    """A measure, its value and its target, which is the most that is allowed."""

    name: str
    value: float
    most: float
    detail: str = ""

    def __str__(self) -> str:
        note = "" if self.value <= self.most else ("open" if self.open else f"over: {self.detail}".rstrip(": "))
        return f"{self.name:<44}{self.value:>8g}  at most {self.most:>5g}  {note}".rstrip()

    @property
    def open(self) -> bool:
        """Whether it is not enforced yet."""
        return self.name.endswith(tuple(OPEN))


def prose(name: str, texts: list[tuple[str, str]], most: float) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """Both rates of some texts, each with its place, and the paragraphs with hits."""
    plain = [(where, _NOT_PROSE.sub(" ", text)) for where, text in texts]
    words = max(1, sum(len(_WORD.findall(text)) for _, text in plain))
    rates = [sum(len(each.findall(text)) for _, text in plain) * 1000 / words for each in (FREE_RELATIVE, HOMESPUN)]
    parts = [(where, " ".join(part.split())) for where, text in plain for part in re.split(r"\n\s*\n", text)]
    hits = [
        (len(FREE_RELATIVE.findall(part)) + len(HOMESPUN.findall(part)), where, part[:160]) for where, part in parts
    ]
    rows = [Row(f"{name}: free relatives", round(rates[0], 1), most), Row(f"{name}: homespun", round(rates[1], 1), 1)]
    return rows, [hit for hit in hits if hit[0]]


def documented(source: str) -> Iterator[tuple[range, str]]:
    """Each docstring with its lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node)):
            yield range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1), text


def tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a file."""
    return tokenize.generate_tokens(io.StringIO(source).readline)


def code_lines(source: str) -> int:
    """Lines with code: no blank lines, comments or docstrings."""
    code = [token for token in tokens(source) if tokenize.tok_name[token.type] not in _BLANK]
    lines = {line for token in code for line in range(token.start[0], token.end[0] + 1)}
    return len(lines.difference(*(where for where, _ in documented(source))))


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings and comments, each with its line."""
    yield from ((lines.start, text) for lines, text in documented(source))
    yield from ((t.start[0], t.string.lstrip("#: ")) for t in tokens(source) if t.type == tokenize.COMMENT)


def package(root: Path, name: str, texts: list[tuple[str, str]]) -> Iterator[Row]:
    """The layout and size of one package; its docstrings and comments are added to `texts`."""
    files = {path: path.read_text() for path in sorted((root / name).rglob("*.py"))}
    classes: dict[str, set[Path]] = defaultdict(set)
    for path, source in files.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].add(path)
        texts += [(f"{path.relative_to(root)}:{line}", text) for line, text in comments(source)]
    twice = sorted(each for each, where in classes.items() if len(where) > 1)
    long = sorted(path.name for path, source in files.items() if source.count("\n") > 300)
    folders = Counter(path.parent for path in files)
    yield Row(f"{name}: modules at its root", folders[root / name], 14)
    yield Row(f"{name}: files in the widest folder", max(folders.values(), default=0), 40)
    yield Row(f"{name}: files over 300 lines", len(long), 0, ", ".join(long))
    yield Row(f"{name}: class names twice", len(twice), 0, ", ".join(twice))
    if name == "reference_impl":
        yield Row(f"{name}: code lines", sum(map(code_lines, files.values())), 2800)


def measure(root: Path) -> tuple[list[Row], list[tuple[int, str, str]]]:
    """Every row, and the texts with hits, worst first."""
    docstrings: list[tuple[str, str]] = []
    rows = [row for name in PACKAGES for row in package(root, name, docstrings)]
    pages = [(str(path.relative_to(root)), path.read_text()) for path in sorted((root / "docs").rglob("*.md"))]
    readme, docs = ("README.md", [("README.md", (root / "README.md").read_text())], 3.0), ("docs", pages, 3.0)
    found = [prose(*each) for each in (readme, docs, ("docstrings", docstrings, 2.0))]
    rows += [row for each, _ in found for row in each]
    hits = sorted((hit for _, each in found for hit in each), reverse=True)
    sources = [path for name in (*PACKAGES, "tests") for path in (root / name).rglob("*.py")]
    skips = sum(path.read_text().count("# fmt: " + "skip") for path in sources)
    return [*rows, Row("fmt: skip", skips, 19)], hits


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    """Print the rows, then the worst texts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="list the N texts with most hits")
    parser.add_argument("--all", action="store_true", help="enforce the open rows too")
    args = parser.parse_args(argv)
    rows, hits = measure(root)
    for row in rows:
        print(row)
    for count, where, text in hits[: args.worst]:
        print(f"{count:>3}  {where}: {text}")
    return int(any(row.value > row.most and (args.all or not row.open) for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
