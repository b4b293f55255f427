import csv
import io
import json

from rich.console import Console

from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Styled, Table, TableColumn

NAMED = tables.of(
    [
        {"row": "first", "n": 1200, "x": 0.5, "who": "a|b"},
        {"row": "second", "n": 2, "x": float("nan"), "who": "c\u202e"},
    ]
)
NUMBERED = tables.of([{"who": "d"}])
NONE = tables.of([])


def printed(*choice: Table, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    tables.show(console, *choice)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_text_has_a_dash_for_what_is_not_known_and_no_mere_row_numbers() -> None:
    assert tables.plain(NAMED).splitlines()[2].split()[:3] == ["second", "2", "-"]
    assert tables.plain(NUMBERED).split() == ["who", "d"]


def test_markdown_is_a_table_that_foreign_text_cannot_break() -> None:
    assert tables.markdown(NAMED).splitlines() == [
        "|  | n | x | who |",
        "| --- | ---: | ---: | --- |",
        "| first | 1,200 | 0.5 | a\\|b |",
        "| second | 2 | – | c⟨U+202E⟩ |",
    ]


def test_what_a_target_says_is_no_markup_and_no_command() -> None:
    hostile = tables.of([{"state": state} for state in ("<IMG src=x>", "a\\|b", "##[add-mask]x\n::error::y\x1b")])
    _, _, image, pipe, commands = tables.markdown(hostile).splitlines()
    assert image == r"| \<IMG src=x\> |"
    assert pipe == r"| a\\\|b |"
    assert "##[" not in commands
    text = tables.plain(hostile)
    assert not [word for word in ("##[", "::", "\x1b") if word in text]
    rows = list(csv.reader(io.StringIO(tables.csv(tables.records(hostile)))))
    assert rows[-1] == ["## [add-mask]x⟨U+000A⟩: :error: :y⟨U+001B⟩"]
    told = tables.json(tables.records(hostile))
    assert "##[" not in told
    assert json.loads(told)[2]["state"] == "##[add-mask]x\n::error::y\x1b"


def test_json_has_null_for_what_is_not_known() -> None:
    assert json.loads(tables.json(tables.records(NAMED)))[1] == {"row": "second", "n": 2, "x": None, "who": "c\u202e"}


def test_csv_has_one_header_for_all_records() -> None:
    named = [{"table": "one"} | row for row in tables.records(NAMED)]
    told = tables.csv([*named, *({"table": "two"} | row for row in tables.records(NUMBERED))])
    rows = list(csv.DictReader(io.StringIO(told)))
    assert list(rows[0]) == ["table", "row", "n", "x", "who"]
    assert [(row["table"], row["row"], row["who"]) for row in rows] == [
        ("one", "first", "a|b"),
        ("one", "second", "c⟨U+202E⟩"),
        ("two", "", "d"),
    ]
    assert rows[1]["x"] == ""


def test_empty_table_is_nothing() -> None:
    assert (tables.plain(NONE), tables.markdown(NONE), tables.records(NONE), tables.csv([])) == ("", "", [], "")


def test_title_and_notes_stand_around_the_rows_and_are_no_markup() -> None:
    made = Table([TableColumn("lost", True, "events")], [[Styled("[red]3", "red")], [None]], "a [b]", ["", "n [c]"])
    assert printed(made) == ["a [b]", "lost events", "     [red]3", "          –", "", "n [c]"]
    assert tables.markdown(made).splitlines() == [
        r"### a \[b\]",
        "",
        "| lost events |",
        "| ---: |",
        r"| \[red\]3 |",
        "| – |",
        "",
        r"n \[c\]",
    ]


def test_of_several_tables_the_first_that_fits_is_shown_whole() -> None:
    wide, narrow = (Table([TableColumn(each) for each in "ab"[:n]], [["x" * 20] * n]) for n in (2, 1))
    assert [printed(wide, narrow, width=width)[0].split() for width in (80, 30, 10)] == [["a", "b"], ["a"], ["a"]]
