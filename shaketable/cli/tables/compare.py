"""The `main` of reports/compare.py: comparisons and run directories in, one comparison out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from shaketable.cli import guarded
from shaketable.compare import forms, run_index
from shaketable.compare import page as compared_page
from shaketable.report.tables.table import Form

COMPARISON = Path("runs/compare")


def main() -> NoReturn:
    """Report the comparisons; exit with 0, or 254 for a path without a comparison or a judged run."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

    @app.command(help="Print a comparison of processors from the results of `shaketable compare` and of single runs.")
    def command(
        paths: Annotated[
            list[Path] | None,
            typer.Argument(
                metavar="[DIR]...", help="Folders of comparisons, or run directories.", show_default=str(COMPARISON)
            ),
        ] = None,
        form: Annotated[Form, typer.Option("--format", help="Output format.")] = Form.TABLE,
        brief: Annotated[bool, typer.Option("--brief", help="One Markdown table: lost / doubled.")] = False,
        page: Annotated[Path | None, typer.Option(help="Also write the HTML page to FILE.", metavar="FILE")] = None,
    ) -> int:
        found = run_index.read([path.resolve() for path in paths or [COMPARISON]])
        if page is not None:
            compared_page.write(found, page.resolve())
        if brief:
            print(forms.brief(found))
        elif form is Form.TABLE:
            forms.show(found)
        else:
            print(forms.WRITERS[form](found))
        return 0

    sys.exit(guarded(lambda: app(standalone_mode=False)))
