"""Every page of ours: whatever is put into it is shown and does nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from shaketable.report.page import document
from shaketable.report.page.header import Header
from shaketable.report.tables.table import Table, TableColumn

HOSTILE = "<script>alert(1)</script>\u202e$$x$$"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩$$x$$"
TABLE = """{% extends "base.html" %}
{% from "parts.html" import badge, rows, grid %}
{% block main %}
{{ rows([(told, told)]) }}
{{ grid(table, label=told) }}
{% endblock %}
"""


def page(folder: Path, **shown: Any) -> str:
    (folder / "table.html").write_text(TABLE)
    return document.render("table.html", folder=folder, **shown)


def shown(text: str) -> dict[str, Any]:
    """A header, a text, and a table with it."""
    table = Table([TableColumn(text), TableColumn("b")], [[text, text], ["x", "failed"], ["y", None]])
    return {"header": Header("failed", text, text), "told": text, "table": table}


def test_template_of_another_folder_has_the_house_style_and_escapes_all(tmp_path: Path) -> None:
    html = page(tmp_path, **shown(HOSTILE))
    assert "alert(1)</script>" not in html
    assert html.count(SHOWN) == 8
    assert '<span class="badge failed">failed</span>' in html
    assert "--paper" in html


def test_page_without_scripts_may_run_none(tmp_path: Path) -> None:
    html = page(tmp_path, **shown(""))
    assert "script-src &#39;none&#39;" in html
    assert "<script" not in html


def test_name_that_nobody_gave_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        page(tmp_path)
