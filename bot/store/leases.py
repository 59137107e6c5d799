"""Who works on what: a row is one process's for some seconds, and anybody's again when that process dies.

Asks and deliveries are owed alike: this page is all that decides which of them are to be worked on now, and by whom.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, TypeVar, overload

from sqlalchemy import ColumnElement, Table, func, literal, select, union_all, update

from bot.store.asks import Ask
from bot.store.database import Database, columns, into
from bot.store.deliveries import Delivery
from bot.store.schema import asks, deliveries

Kind = Literal["ask", "delivery"]

R = TypeVar("R", Ask, Delivery)

LEASE_S = 15.0
# A job may come a little early, by another machine's clock; sending it back would cost it a minute.
EARLY_S = 1.0

_TABLES: dict[Kind, Table] = {"ask": asks, "delivery": deliveries}
_OPEN: dict[Kind, ColumnElement[bool]] = {
    "ask": asks.c.done_at.is_(None),
    "delivery": deliveries.c.finished_at.is_(None),
}


@dataclass(frozen=True, slots=True)
class Owed:
    """How much has been acknowledged and is not done; what is held for a closed channel counts apart."""

    count: int
    oldest_age_s: float
    held: int


class Leases(Database):
    @overload
    async def claim(
        self, kind: Literal["ask"], row_id: int, owner: str, now: float, lease_s: float = LEASE_S
    ) -> Ask | None: ...
    @overload
    async def claim(
        self, kind: Literal["delivery"], row_id: int, owner: str, now: float, lease_s: float = LEASE_S
    ) -> Delivery | None: ...
    async def claim(
        self, kind: Kind, row_id: int, owner: str, now: float, lease_s: float = LEASE_S
    ) -> Ask | Delivery | None:
        """The row, for `owner` alone; None where it is done, not due, or somebody else's."""
        if kind == "ask":
            return await self._claim(kind, Ask, row_id, owner, now, now + lease_s)
        return await self._claim(kind, Delivery, row_id, owner, now, now + lease_s)

    async def _claim(  # noqa: PLR0917 - one caller, which has them by name
        self, kind: Kind, row: type[R], row_id: int, owner: str, now: float, until: float
    ) -> R | None:
        """Each claim counts as an attempt, so that work which kills its process is known by its count."""
        table = _TABLES[kind]
        claimable = _OPEN[kind] & (table.c.lease_until <= now) & (table.c.next_at <= now + EARLY_S)
        async with self._writing() as connection:
            claimed = await connection.execute(
                update(table)
                .where(table.c.id == row_id, claimable)
                .values(lease_owner=owner, lease_until=until, attempts=table.c.attempts + 1)
                .returning(*columns(table, row))
            )
            taken = into(row, claimed.mappings().one_or_none())
        return taken and replace(taken, attempts=taken.attempts - 1)

    async def renew(self, kind: Kind, row_ids: Collection[int], owner: str, until: float) -> set[int]:
        """Those that are still `owner`'s; work on the others must stop, for somebody else has it or it is done."""
        table = _TABLES[kind]
        async with self._writing() as connection:
            renewed = await connection.scalars(
                update(table)
                .where(table.c.id.in_(row_ids), table.c.lease_owner == owner, _OPEN[kind])
                .values(lease_until=until)
                .returning(table.c.id)
            )
            return set(renewed)

    async def is_taken(self, kind: Kind, row_id: int, owner: str) -> bool:
        """Whether somebody other than `owner` works on the row by now."""
        table = _TABLES[kind]
        others = (table.c.id == row_id) & (table.c.lease_owner != "") & (table.c.lease_owner != owner)
        async with self._reading() as connection:
            return (await connection.execute(select(table.c.id).where(others))).one_or_none() is not None

    async def let_go(self, kind: Kind, row_id: int, owner: str) -> None:
        """Handed back, unfinished: the attempt does not count."""
        table = _TABLES[kind]
        async with self._writing() as connection:
            await connection.execute(
                update(table)
                .where(table.c.id == row_id, table.c.lease_owner == owner)
                .values(lease_owner="", lease_until=0, attempts=table.c.attempts - 1)
            )

    async def owed(self, now: float, limit: int) -> list[tuple[Kind, int]]:
        """What is due and nobody works on, the longest due first."""
        due = [
            select(literal(kind).label("kind"), table.c.id, table.c.next_at).where(
                _OPEN[kind], table.c.next_at <= now, table.c.lease_until <= now
            )
            for kind, table in _TABLES.items()
        ]
        together = union_all(*due).subquery()
        query = select(together.c.kind, together.c.id).order_by(together.c.next_at, together.c.id).limit(limit)
        async with self._reading() as connection:
            return [(kind, row_id) for kind, row_id in await connection.execute(query)]

    async def owed_stats(self, now: float) -> Owed:
        """Everything unfinished, due or not."""
        held = deliveries.c.state == "held"
        each = [
            select(func.count(), func.min(table.c.created_at)).where(condition)
            for table, condition in (
                (asks, _OPEN["ask"]),
                (deliveries, _OPEN["delivery"] & ~held),
                (deliveries, _OPEN["delivery"] & held),
            )
        ]
        async with self._reading() as connection:
            (asked, first_asked), (owed, first_owed), (kept, _) = [
                (await connection.execute(query)).one() for query in each
            ]
        oldest = min((at for at in (first_asked, first_owed) if at is not None), default=now)
        return Owed(count=asked + owed, oldest_age_s=max(0.0, now - oldest), held=kept)

    async def _drop_leases(self) -> None:
        """Only for whoever is alone with the database: those who held them are dead."""
        async with self._writing() as connection:
            for table in _TABLES.values():
                await connection.execute(
                    update(table).where(table.c.lease_until > 0).values(lease_owner="", lease_until=0)
                )
