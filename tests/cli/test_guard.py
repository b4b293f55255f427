"""What stderr holds of an error, whatever it tells."""

from __future__ import annotations

import pytest

from shaketable.cli.guard import guarded
from shaketable.errors import TargetError

LOG = "died: a\n  ::stop-commands::x\n##[add-mask]x\n\x1b\u202e\ud800::error title=forged::x\n"


@pytest.mark.parametrize("kind", [TargetError, RuntimeError])
def test_log_of_a_target_gives_no_command_to_a_workflow(
    kind: type[Exception], capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise kind(LOG)

    assert guarded(fail) == 255
    told = capfd.readouterr().err
    assert not [word for word in ("::", "##[", "\x1b", "\u202e") if word in told]
    assert ": :stop-commands: :x" in told
    assert kind is RuntimeError or told.count("\n") == 1
