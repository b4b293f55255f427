"""A target's sender: what is one, and what each of its ends means for an event."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shaketable.errors import ManifestError
from shaketable.load import sender
from shaketable.load.outcome import classify
from shaketable.load.reply import Reply
from shaketable.op import Outcome

SOUND = """
class Sender:
    def open(self): pass
    def send(self, event_id, body): return "acknowledged"
    def close(self): pass
"""
#: Does what the body says; it counts how often it was opened.
OBEDIENT = """
import os, time
from shaketable.op import Outcome

class Sender:
    opened = 0

    def open(self):
        Sender.opened += 1
        if Sender.opened == 2:
            raise ConnectionRefusedError("the first is free")

    def send(self, event_id, body):
        print("sending")
        if body == b"raise":
            raise ConnectionRefusedError("after a byte was sent, perhaps: private")
        if body == b"hang":
            time.sleep(60)
        if body == b"nonsense":
            return True
        if body == b"exit":
            os._exit(3)
        return body.decode()

    def send_batch(self, events):
        (event,) = events
        return [] if event[1] == b"none" else [self.send(*event)]

    def close(self):
        raise ValueError
"""


def write(folder: Path, text: str) -> str:
    (folder / "mine.py").write_text(text)
    return f"{folder / 'mine.py'}:Sender"


def sent(place: str, *bodies: bytes, size: str = "single") -> list[dict[str, Any]]:
    """The replies of one user's sender, one after the other."""
    lines = [json.dumps({"id": "1", "body": base64.b64encode(body).decode()}) for body in bodies]
    command = [sys.executable, "-m", "shaketable.load.send_one", place, size, "0.5"]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, timeout=60, check=False)
    return [dict(zip(Reply._fields, json.loads(line), strict=True)) for line in done.stdout.splitlines()]


def test_class_with_three_methods_is_a_sender(tmp_path: Path) -> None:
    assert sender.load(write(tmp_path, SOUND))().send("1", b"{}") == Outcome.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("class Sender:", "class Other:", "to hold Sender .*, got none"),
        ("    def close(self): pass\n", "def Sender(): pass\n", "got a function: write a class"),
        ("class Sender:", "1/0\nclass Sender:", "raised ZeroDivisionError"),
        ("class Sender:", "import not_there\nclass Sender:", "raised ModuleNotFoundError"),
        ("class Sender:", "raise SystemExit(0)\nclass Sender:", "leave out sys.exit"),
        ("class Sender:", "class Sender(", "raised SyntaxError"),
        ("    def close(self): pass\n", "", r"got one without close\(\)"),
        ("def open(self)", "def open(self, url)", r"open\(self, url\): take \(self\)"),
        ("self, event_id, body", "self, body", r"send\(self, body\): take \(self, event_id, body\)"),
        ("    def send", "    async def send", r"an asynchronous send\(\)"),
        ("    def open", "    def __init__(self, url): pass\n    def open", "__init__ needs arguments"),
    ],
)
def test_what_is_no_sender_is_named_with_its_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        sender.load(write(tmp_path, SOUND.replace(old, new)))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"ingest\.sender .*there is none"):
        sender.load(f"{tmp_path / 'mine.py'}:Sender")


@pytest.mark.slow
def test_sender_is_tried_in_a_process_of_its_own(tmp_path: Path) -> None:
    sender.check(write(tmp_path, SOUND), os.environ)
    with pytest.raises(ManifestError, match=r"^ingest.sender: .* raised KeyError: 'MINE'$"):
        sender.check(write(tmp_path, "import os\nos.environ['MINE']\n" + SOUND), os.environ)


def test_each_end_of_an_attempt_has_one_meaning(tmp_path: Path) -> None:
    bodies = (
        b"acknowledged",
        b"refused",
        b"refused_for_now",
        b"indeterminate",
        b"raise",
        b"acknowledged",
        b"hang",
        b"acknowledged",
    )
    found = sent(write(tmp_path, OBEDIENT), *bodies)
    assert [classify(each["status"], each["error"]).outcome for each in found] == [
        Outcome.ACKNOWLEDGED,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.INDETERMINATE,
        Outcome.INDETERMINATE,  # whatever it raised: a part may have been sent
        Outcome.REFUSED,  # it could not be opened anew, so nothing was sent
        Outcome.INDETERMINATE,
        Outcome.ACKNOWLEDGED,
    ]
    assert [each["error"] for each in found] == ["", "", "", "", sender.RAISED, sender.NOT_OPENED, sender.TOO_LATE, ""]
    assert found[4]["at"] == "ConnectionRefusedError at mine.py:16"
    assert "private" not in json.dumps(found)  # a message may hold the event


def test_refused_for_now_is_sent_again_and_refused_is_not() -> None:
    found = [classify(sender.status(returned)) for returned in (Outcome.REFUSED, sender.REFUSED_FOR_NOW)]
    assert found == [(Outcome.REFUSED, False), (Outcome.REFUSED, True)]


def test_sender_that_could_not_be_opened_is_closed(tmp_path: Path) -> None:
    leaky = """
import pathlib, time

class Sender:
    def open(self):
        if (told := self.log("opens")) == 2:
            time.sleep(60)
        if told == 1:
            raise ConnectionRefusedError

    def log(self, what):
        file = pathlib.Path(__file__).with_name("log")
        lines = [*(file.read_text().split() if file.exists() else []), what]
        file.write_text(" ".join(lines))
        return lines.count("opens")

    def send(self, event_id, body):
        return "acknowledged"

    def close(self):
        self.log("closes")
"""
    found = sent(write(tmp_path, leaky), b"", b"", b"")
    assert [each["error"] for each in found] == [sender.NOT_OPENED, sender.NOT_OPENED, ""]
    assert (tmp_path / "log").read_text().split() == ["opens", "closes"] * 3


def test_anything_but_an_outcome_ends_the_load(tmp_path: Path) -> None:
    (found,) = sent(write(tmp_path, OBEDIENT), b"nonsense")
    assert "return an Outcome of shaketable.op for each event, got a bool" in found["fatal"]
    assert classify(found["status"], found["error"]).outcome is Outcome.INDETERMINATE


@pytest.mark.slow
def test_sender_of_batches_returns_an_outcome_for_each_event(tmp_path: Path) -> None:
    place = write(tmp_path, OBEDIENT)
    found = sent(place, b"acknowledged", b"raise", b"none", size="batch")
    assert [each["error"] for each in found[:2]] == ["", sender.RAISED]
    (short,) = sent(place, b"none", size="batch")
    assert "for each event, got a list" in short["fatal"]
    with pytest.raises(ManifestError, match=r"got one without send_batch\(\): define it"):
        sender.load(write(tmp_path, SOUND), batch=True)


def test_sender_may_be_idle_for_as_long_as_it_likes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shaketable.load.send_one", write(tmp_path, SOUND), "single", "1"]
    asked = json.dumps({"id": "1", "body": ""}).encode() + b"\n"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for idle_s in (3, 0):  # the watchdog's limit is 2.5 s
            child.stdin.write(asked)
            child.stdin.flush()
            assert json.loads(child.stdout.readline())[0] == 202  # Reply.status
            time.sleep(idle_s)
        _, told = child.communicate()
    assert (child.returncode, told) == (0, b"")


def test_client_that_blocks_every_user_is_ended_with_a_sentence(tmp_path: Path) -> None:
    blocking = SOUND.replace(
        'return "acknowledged"', 'from gevent.monkey import get_original; get_original("time", "sleep")(60)'
    )
    command = [sys.executable, "-m", "shaketable.load.send_one", write(tmp_path, blocking), "single", "0.5"]
    asked = json.dumps({"id": "1", "body": ""})
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 254
    assert "Sender in mine.py (ingest.sender) stopped the whole load for 1.5 s: use a client" in done.stderr
