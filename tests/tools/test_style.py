"""tools/style.py finds each kind of lapse that it measures, and nothing in clean text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import style


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project without a lapse."""
    for name in style.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f'"""The package {name}."""\n')
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("A worker that loses its connection loses the lock.\n\n```\nwho\n```\n")
    (tmp_path / "README.md").write_text(
        "Run one or more scenarios against a target. Dead letters are rows. What is it?\n"
    )
    return tmp_path


def missed(tree: Path) -> set[str]:
    """The measures over their targets."""
    return {row.name for row in style.measure(tree)[0] if row.value > row.most}


def test_clean_tree_misses_no_target(tree: Path) -> None:
    assert missed(tree) == set()
    assert style.main(["--all"], tree) == 0


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("README.md", "It stores what was sent.", "README.md: free relatives"),
        ("README.md", "The letters are kept beside it.", "README.md: homespun"),
        ("docs/page.md", "Whoever stops it, stops all.", "docs: free relatives"),
        ("docs/page.md", "Nothing goes wrong.", "docs: homespun"),
        ("shaketable/a.py", '"""Who cannot."""\n', "docstrings: free relatives"),
        ("reference_impl/a.py", "# it is told\n", "docstrings: homespun"),
        ("shaketable/a.py", "\n" * 301, "shaketable: files over 300 lines"),
        ("reference_impl/a.py", "x = 1\n" * 2801, "reference_impl: code lines"),
        ("tests/test_a.py", "x = 1  # fmt: " + "skip\n" + "y = 2  # fmt: " + "skip\n" * 19, "fmt: skip"),
    ],
)
def test_each_lapse_is_found(tree: Path, path: str, text: str, name: str) -> None:
    (tree / path).parent.mkdir(exist_ok=True)
    (tree / path).write_text(text * (20 if name == "fmt: skip" else 1))
    assert name in missed(tree)
    assert style.main(["--all"], tree) == 1


@pytest.mark.parametrize(("count", "name"), [(14, "modules at its root"), (41, "files in the widest folder")])
def test_wide_folder_is_found(tree: Path, count: int, name: str) -> None:
    for number in range(count):
        (tree / "shaketable" / f"module_{number}.py").write_text("")
    assert f"shaketable: {name}" in missed(tree)


def test_class_name_in_two_files_is_found_unless_it_is_private(tree: Path) -> None:
    for name in ("a", "b"):
        (tree / "shaketable" / f"{name}.py").write_text("class _Row: ...\n")
    assert missed(tree) == set()
    for name in ("a", "b"):
        (tree / "shaketable" / f"{name}.py").write_text("class Row: ...\n")
    assert missed(tree) == {"shaketable: class names twice"}


def test_code_lines_count_no_docstring_comment_or_blank_line() -> None:
    assert (
        style.code_lines(
            '"""A module."""\n\nx = (\n    1\n)  # why\n\n\ndef f():\n    """A function."""\n    return x\n'
        )
        == 5
    )


def test_open_measure_is_enforced_by_all_alone(tree: Path) -> None:
    (tree / "shaketable" / "a.py").write_text('"""Who cannot."""\n')
    assert style.main([], tree) == int("docstrings: free relatives" not in style.OPEN)
    assert style.main(["--all"], tree) == 1
