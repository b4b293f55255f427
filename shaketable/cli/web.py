"""The live page of `shaketable run --web`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from shaketable.cli import playing
from shaketable.errors import InputError

if TYPE_CHECKING:
    from shaketable.cli.live.server import LiveServer
    from shaketable.cli.playing import Player
    from shaketable.rundir import RunDir
    from shaketable.runner.order import Order


@contextmanager
def player(web: bool, port: int | None) -> Iterator[Player]:
    """Plays orders; with `web` a page shows them, as long as they run and a browser looks at it."""
    if not web:
        if port is not None:
            raise InputError(f"expected --web with --web-port, got --web-port {port} alone")
        yield playing.play
        return
    from shaketable.cli.live import server

    with server.serve(port or 0) as live:
        print(f"live page: {live.url}", flush=True)
        yield lambda order: _shown(order, live)
        live.state.end()
        _wait(live)


def _shown(order: Order, live: LiveServer) -> RunDir:
    """Play an order and show it on the page."""
    from shaketable.cli.live.reporter import WebReporter

    live.state.begin(order.scenario.name)
    try:
        run = playing.play(order, WebReporter(playing.reporter(), live.state))
    except (Exception, KeyboardInterrupt) as e:  # the page's verdict is the worst of all runs
        live.state.unplayed(e)
        raise
    live.state.played(run)
    return run


def _wait(live: LiveServer) -> None:
    """Serve the verdict as long as a browser shows the page, or until Ctrl-C."""
    print("the live page stays until you close it or press Ctrl-C", flush=True)
    try:
        live.wait_until_left()
    except KeyboardInterrupt:
        print()
