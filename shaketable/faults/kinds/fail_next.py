"""The store refuses exactly the next k writes, then works: a test of a breaker's threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from psycopg import sql

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds import triggers


@dataclass(frozen=True)
class FailNext(Fault):
    """The next `k` statements that write to the stored relation fail with `sqlstate`; `process` aims at one's alone.

    A statement trigger counts with a sequence, which a rollback does not turn back: exactly k fail. The default
    sqlstate is 53100 (disk full): the store's own trouble, not the data's.
    """

    k: int
    process: str | None = None
    sqlstate: str = "53100"
    kind: ClassVar[str] = "fail_next"
    colour: ClassVar[str] = "#a04000"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ScenarioError(f"expected at least 1 write to fail, got {self.k}: leave the fault out instead")

    @property
    def label(self) -> str:
        return f"next {self.k} writes fail ({self.sqlstate}){f' for {self.process}' if self.process else ''}"

    def targets(self, context: FaultContext) -> list[str]:
        names = context.processes.named(self.process) if self.process else []
        return [context.services.relation, *names]

    def inject(self, context: FaultContext) -> None:
        who = context.processes.named(self.process) if self.process else None
        with triggers.admin(context) as connection:
            connection.execute("drop sequence if exists shaketable.failed")
            connection.execute("create sequence shaketable.failed")
            connection.execute(
                _FUNCTION.format(k=sql.Literal(self.k), sqlstate=sql.Literal(self.sqlstate), who=sql.Literal(who))
            )
            triggers.put(connection, context.services.relation, self.kind, "statement")

    def heal(self, context: FaultContext) -> None:
        with triggers.admin(context) as connection:
            triggers.drop(connection, context.services.relation, self.kind)

    def witness(self, context: FaultContext) -> Witness:
        """How many writes failed; landed once all k did."""
        with triggers.admin(context) as connection:
            row = connection.execute("select case when is_called then last_value else 0 end from shaketable.failed")
            asked = int((row.fetchone() or [0])[0])
        failed = min(asked, self.k)
        told = f"{failed} of {self.k} failed, {asked - failed} let by"
        return Witness(failed == self.k, failed, "writes failed", told)


_FUNCTION = sql.SQL("""
create or replace function shaketable.fail_next() returns trigger language plpgsql security definer
set search_path = pg_catalog as $$
begin
    if regexp_replace(current_setting('application_name'), '\\.[0-9]+$', '') = any({who}::text[]) is not false
        and nextval('shaketable.failed') <= {k} then
        raise exception 'shaketable fails this write on purpose' using errcode = {sqlstate};
    end if;
    return null;
end $$
""")
