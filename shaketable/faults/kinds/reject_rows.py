"""The store always refuses certain events, in any batch: poison."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar, LiteralString

import psycopg
from psycopg import sql

from shaketable import plural
from shaketable.errors import ScenarioError
from shaketable.event import ids
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import triggers

#: Invalid parameter value: the event's own fault, and the same at every try.
DATA = "22023"
#: Why no refusal was counted.
UNSEEN = "no row inserted into {} held such an event's id as text (a bytea or a hash is not looked into)"
#: Sequences that are created in one transaction: each takes a lock, and each transaction a sync.
TOGETHER = 200
#: Class 00 is success.
_SQLSTATE = re.compile(r"(?!00)[0-9A-Z]{5}")


@dataclass(frozen=True)
class RejectRows(Fault):
    """A share of the scheduled events is refused by a row trigger, with `sqlstate`: 22023, invalid parameter value.

    With 40001 (serialization failure) a refusal looks like a collision that comes again at every retry. Which ones
    follows from their ids, so a replay poisons the same. With `run` = 30, they come 30 in a row, as a faulty client
    sends them: a breaker that counts them among the store's failures may open only then. Refusals are counted per event
    with sequences, which a rollback does not turn back; `observe` reads them as poison.jsonl, also after healing.

    A row is an event's if any of its columns holds the event's id as text or as a number, also inside JSON. An id in a
    bytea, hashed or (a UUID) without its hyphens is not found, and then this fault does not land: `doctor` tries it.
    """

    share: float = 0.01
    sqlstate: str = DATA
    run: int = 1  # in a row, in the order of the schedule
    kind: ClassVar[str] = "reject_rows"
    colour: ClassVar[str] = "#117864"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ScenarioError(f"expected a share above 0 and up to 1, got {self.share:g}: 0.01 is one event in 100")
        if not _SQLSTATE.fullmatch(self.sqlstate):
            raise ScenarioError(
                f"expected an error's SQLSTATE, five of 0-9 and A-Z, got {self.sqlstate!r}: 40001 is one"
            )
        if self.run < 1:
            raise ScenarioError(f"expected a run of at least 1 event in a row, got {self.run}: 30 makes bursts")

    @property
    def label(self) -> str:
        told = f"{self.share:.1%} of the events are poison" + (f", {self.run} in a row" if self.run > 1 else "")
        return told + (f" ({self.sqlstate})" if self.sqlstate != DATA else "")

    def targets(self, context: FaultContext) -> list[str]:
        return [context.services.relation]

    def chosen(self, event_ids: list[str]) -> list[str]:
        """The ids that are poison, as a row holds them: by 32 bits, the first of a UUID, or a checksum.

        The first id of each `run` decides for all of them. Of each 1 / `share` runs one is poison: with a few runs in a
        scenario, chance alone might poison none.
        """
        bits = [_bits(each) for each in event_ids]
        if self.run == 1:
            poison = [at for at, drawn in enumerate(bits) if drawn < self.share * 2**32]
        else:
            starts = enumerate(range(0, len(event_ids), self.run))
            stretches = groupby(starts, lambda numbered: int(numbered[0] * self.share))
            firsts = [min((at for _, at in stretch), key=bits.__getitem__) for _, stretch in stretches]
            poison = [at for first in firsts for at in range(first, min(first + self.run, len(event_ids)))]
        return [ids.in_row(event_ids[at]) for at in poison]

    def inject(self, context: FaultContext) -> None:
        with triggers.admin(context) as connection, connection.cursor() as cursor:
            cursor.execute(_TABLE)
            poison = self.chosen(context.event_ids())
            cursor.executemany(
                "insert into shaketable.poison (event_id) values (%s) on conflict do nothing",
                [[event_id] for event_id in poison],
            )
            names = [f"refused_{n}" for (n,) in cursor.execute("select n from shaketable.poison").fetchall()]
            for at in range(0, len(names), TOGETHER):
                create = sql.SQL("create sequence if not exists {}")
                made = [create.format(sql.Identifier("shaketable", name)) for name in names[at : at + TOGETHER]]
                cursor.execute(sql.SQL(";").join(made))
            pattern = row_ids(poison[0] if poison else "", "new")
            cursor.execute(_FUNCTION.replace("ROW_IDS", pattern).replace(f"'{DATA}'", f"'{self.sqlstate}'").encode())
            context.scratch[f"{self.kind}.before"] = _refusals(connection)
            triggers.put(connection, context.services.relation, self.kind, "row")

    def heal(self, context: FaultContext) -> None:
        with triggers.admin(context) as connection:
            triggers.drop(connection, context.services.relation, self.kind)

    def witness(self, context: FaultContext) -> Witness:
        """How often poisonous events were refused since the injection."""
        with triggers.admin(context) as connection:
            refused = _refusals(connection)
        refused -= int(context.scratch.get(f"{self.kind}.before", refused))
        told = f"poisonous events were refused {plural.counted(refused, 'times')}"
        return Witness(
            refused > 0, refused, "refusals", told if refused else f"{told}: {UNSEEN.format(context.services.relation)}"
        )


def _refusals(connection: psycopg.Connection[Any]) -> int:
    """Since the database's beginning: another of the kind may have been before."""
    return sum(count for _, count in triggers.refused(connection))


_TABLE = "create table if not exists shaketable.poison (n serial, event_id text primary key)"
#: The ids in any column of a row, also inside json, jsonb or text. `to_jsonb` would refuse a row whose `json` column
#: holds \u0000 or half a surrogate pair: the fault would hold up events that are no poison, without counting them.
ROW_IDS = "select m[1] from regexp_matches(lower(row_to_json({row})::text), '{pattern}', 'g') as m"
#: By the kind of ids: the pattern of one in lower case. A number or a ULID within a longer word is another one.
UUIDS = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
INTEGERS, ULIDS = r"\y[0-9]+\y", r"\y[0-9a-z]{26}\y"


def row_ids(sample: str, row: LiteralString) -> LiteralString:
    """The query for the ids in a row, of the kind of a sample."""
    pattern: LiteralString = UUIDS if ids.uuid_of(sample) or not sample else INTEGERS if sample.isdigit() else ULIDS
    return ROW_IDS.format(row=row, pattern=pattern)


def _bits(event_id: str) -> int:
    text = ids.in_row(event_id)
    return int(text[:8], 16) if ids.uuid_of(event_id) else zlib.crc32(text.encode())


_FUNCTION = f"""
create or replace function shaketable.reject_rows() returns trigger language plpgsql security definer
set search_path = pg_catalog as $$
declare number integer;
begin
    select n into number from shaketable.poison where event_id in (ROW_IDS) limit 1;
    if number is not null then
        perform nextval(format('shaketable.refused_%s', number));
        raise exception 'shaketable refuses this event on purpose' using errcode = '{DATA}';
    end if;
    return new;
end $$
"""
