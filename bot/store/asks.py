"""What a person asked for in Slack and was acknowledged: kept until it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from bot.store.database import Database, columns, into
from bot.store.schema import asks


@dataclass(frozen=True, slots=True)
class Ask:
    """`payload` is JSON of the asker's room; `response_url` is empty once it was answered. `attempts` are those before this one."""

    id: int
    key: str
    kind: str
    payload: dict[str, Any]
    user: str
    channel: str
    response_url: str
    created_at: float
    next_at: float
    attempts: int
    error: str


class Asks(Database):
    async def add_ask(
        self,
        key: str,
        kind: str,
        payload: dict[str, Any],
        *,
        user: str,
        channel: str,
        response_url: str,
        now: float,
    ) -> Ask | None:
        """None where an ask of that key was there: Slack sends a request again whose answer it missed."""
        insert = self._insert(asks).values(
            key=key,
            kind=kind,
            payload=payload,
            user=user,
            channel=channel,
            response_url=response_url,
            created_at=now,
            next_at=now,
        )
        async with self._writing() as connection:
            added = await connection.execute(insert.on_conflict_do_nothing().returning(*columns(asks, Ask)))
            return into(Ask, added.mappings().one_or_none())

    async def ask(self, ask_id: int) -> Ask | None:
        async with self._reading() as connection:
            found = await connection.execute(select(*columns(asks, Ask)).where(asks.c.id == ask_id))
            return into(Ask, found.mappings().one_or_none())

    async def finish_ask(self, ask_id: int, outcome: str, now: float) -> None:
        """The address to answer at is forgotten: whoever has it can write to that person for half an hour."""
        async with self._writing() as connection:
            await connection.execute(
                update(asks)
                .where(asks.c.id == ask_id)
                .values(outcome=outcome, done_at=now, response_url="", lease_owner="", lease_until=0)
            )

    async def postpone_ask(self, ask_id: int, next_at: float, error: str) -> None:
        async with self._writing() as connection:
            await connection.execute(
                update(asks)
                .where(asks.c.id == ask_id)
                .values(next_at=next_at, error=error, lease_owner="", lease_until=0)
            )
