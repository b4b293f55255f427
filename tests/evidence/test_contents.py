"""Contents of sent events are made from the corpus again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from shaketable import rundir
from shaketable.evidence.history.contents import Contents
from shaketable.load.mix.shape import Expect, Shape
from shaketable.rundir import RunDir


@pytest.mark.parametrize("missing", [None, np.nan])
def test_text_of_an_event_without_an_organization_is_made_again(missing: float | None, tmp_path: Path) -> None:
    shape = Shape(0, Expect.EITHER, "half a pair", text='{"eventId":"%EVENT_ID%","action":"\\ud800"}')
    (tmp_path / rundir.CORPUS).write_bytes(msgspec.json.encode(shape) + b"\n")
    events = pd.DataFrame({"event_id": ["a"], "shape_number": [0], "organization": [missing]})
    assert Contents(RunDir(tmp_path), events).sent(0) == b'{"eventId":"a","action":"\\ud800"}'
