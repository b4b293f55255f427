"""The store always refuses certain events, in any batch: poison."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

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
#: Class 00 is success.
_SQLSTATE = re.compile(r"(?!00)[0-9A-Z]{5}")


@dataclass(frozen=True)
class RejectRows(Fault):
    """A share of the scheduled events is refused by a row trigger, with `sqlstate`: 22023, invalid parameter value.

    With 40001 (serialization failure) a refusal looks like a collision that comes again at every retry. Which ones
    follows from their ids, so a replay poisons the same. Refusals are counted per event with sequences, which a
    rollback does not turn back; `observe` reads them as poison.jsonl, also after healing.

    A row is an event's if any of its columns holds the event's id as text, also inside JSON. An id in a bytea, hashed
    or without its hyphens is not found, and then this fault does not land: `doctor` tries it.
    """

    share: float = 0.01
    sqlstate: str = DATA
    kind: ClassVar[str] = "reject_rows"
    colour: ClassVar[str] = "#117864"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ScenarioError(f"expected a share above 0 and up to 1, got {self.share:g}: 0.01 is one event in 100")
        if not _SQLSTATE.fullmatch(self.sqlstate):
            raise ScenarioError(
                f"expected an error's SQLSTATE, five of 0-9 and A-Z, got {self.sqlstate!r}: 40001 is one"
            )

    @property
    def label(self) -> str:
        return f"{self.share:.1%} of the events are poison" + (f" ({self.sqlstate})" if self.sqlstate != DATA else "")

    def targets(self, context: FaultContext) -> list[str]:
        return [context.services.relation]

    def chosen(self, event_ids: list[str]) -> list[str]:
        """The ids that are poison, as UUIDs: by their first 32 bits, which are random."""
        found = filter(None, map(ids.uuid_of, event_ids))
        return [each for each in found if int(each[:8], 16) < self.share * 2**32]

    def inject(self, context: FaultContext) -> None:
        with triggers.admin(context) as connection, connection.cursor() as cursor:
            cursor.execute(_TABLE)
            poison = self.chosen(context.event_ids())
            cursor.executemany(
                "insert into shaketable.poison (event_id) values (%s) on conflict do nothing",
                [[event_id] for event_id in poison],
            )
            for (number,) in cursor.execute("select n from shaketable.poison").fetchall():
                cursor.execute(
                    sql.SQL("create sequence if not exists {}").format(
                        sql.Identifier("shaketable", f"refused_{number}")
                    )
                )
            cursor.execute(_FUNCTION.replace(f"'{DATA}'", f"'{self.sqlstate}'").encode())
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
ROW_IDS = """
    select m[1] from regexp_matches(lower(row_to_json({row})::text),
                                    '[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}', 'g') as m
"""
_FUNCTION = f"""
create or replace function shaketable.reject_rows() returns trigger language plpgsql security definer
set search_path = pg_catalog as $$
declare number integer;
begin
    select n into number from shaketable.poison where event_id in ({ROW_IDS.format(row="new")}) limit 1;
    if number is not null then
        perform nextval(format('shaketable.refused_%s', number));
        raise exception 'shaketable refuses this event on purpose' using errcode = '{DATA}';
    end if;
    return new;
end $$
"""
