"""What was kept is read as it stands."""

from __future__ import annotations

import msgspec
import psycopg
import pytest

from shaketable import event, observe
from shaketable.manifest import Ingest, Manifest, Stored
from tests.conftest import Servers

MANIFEST = Manifest(1, "t", Ingest("p"), (), Stored("select event_id, event from kept"))


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "-0.0", "9007199254740993"])
def test_number_that_is_kept_to_the_letter_equals_what_was_sent(servers: Servers, number: str) -> None:
    sent = f'{{"action":"x","detail":{number}}}'
    with psycopg.connect(servers.postgres_url) as connection:
        connection.execute("create table kept (event_id text, event json)")
        connection.execute("insert into kept values ('a', %s)", [sent])
        (row,) = observe.stored(connection, MANIFEST)
    written = msgspec.json.encode(row["event"])
    assert event.same(event.parse(sent), event.parse(written)) == []
