"""A session on its way into a channel: one row for each, and how far its thread has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, select, update

from bot.session import SessionKey
from bot.store.database import Database, columns, into
from bot.store.schema import deliveries

Cause = Literal["subscription", "ask"]
ThreadValue = str | float | bool | None
# `held`: the channel takes nothing from us at present; kept for when it does.
OpenState = Literal["owed", "held"]
EndState = Literal["done", "failed", "stopped", "expired"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """`generation` counts how often a person had it posted anew there; `attempts` are those before this one.

    `thread` is JSON that whoever posts has saved: what was tried, and what is known to be in Slack.
    """

    id: int
    region: str
    app_id: str
    event_id: str
    channel: str
    generation: int
    cause: Cause
    asked_by: str
    ask_id: int | None
    state: OpenState | EndState
    created_at: float
    expires_at: float
    next_at: float
    attempts: int
    error: str
    thread: dict[str, Any]
    finished_at: float | None

    @property
    def key(self) -> SessionKey:
        return SessionKey(self.region, self.app_id, self.event_id)

    @property
    def parent_ts(self) -> str | None:
        return self.thread.get("parent_ts")

    @property
    def thread_key(self) -> str:
        """What the parent's metadata carries, in its channel."""
        return f"{self.key}#{self.generation}"


def _of(key: SessionKey) -> ColumnElement[bool]:
    return and_(
        deliveries.c.region == key.region, deliveries.c.app_id == key.app_id, deliveries.c.event_id == key.event_id
    )


_let_go = {"lease_owner": "", "lease_until": 0}


class Deliveries(Database):
    async def add_delivery(
        self,
        key: SessionKey,
        channel: str,
        *,
        cause: Cause,
        asked_by: str,
        ask_id: int | None,
        now: float,
        expires_at: float,
        generation: int = 0,
    ) -> Delivery | None:
        """None where that channel has it, or is to have it, already."""
        return await self._add(
            key,
            channel,
            generation,
            {
                "cause": cause,
                "asked_by": asked_by,
                "ask_id": ask_id,
                "created_at": now,
                "next_at": now,
                "expires_at": expires_at,
            },
        )

    async def adopt_delivery(
        self,
        key: SessionKey,
        channel: str,
        *,
        now: float,
        generation: int = 0,
        done: bool = True,
        asked_by: str = "",
        expires_at: float = 0.0,
        **thread: ThreadValue,
    ) -> Delivery | None:
        """One that Slack has and an empty store does not; owed where its thread is not whole. None where it was known."""
        return await self._add(
            key,
            channel,
            generation,
            {
                "cause": "subscription",
                "asked_by": asked_by,
                "state": "done" if done else "owed",
                "created_at": now,
                "next_at": now,
                "expires_at": expires_at,
                "finished_at": now if done else None,
                "thread": thread,
            },
        )

    async def _add(self, key: SessionKey, channel: str, generation: int, rest: dict[str, Any]) -> Delivery | None:
        insert = self._insert(deliveries).values(
            region=key.region,
            app_id=key.app_id,
            event_id=key.event_id,
            channel=channel,
            generation=generation,
            **rest,
        )
        async with self._writing() as connection:
            added = await connection.execute(insert.on_conflict_do_nothing().returning(*columns(deliveries, Delivery)))
            return into(Delivery, added.mappings().one_or_none())

    async def delivery(self, delivery_id: int) -> Delivery | None:
        return next(iter(await self._deliveries(deliveries.c.id == delivery_id)), None)

    async def delivery_of(self, key: SessionKey, channel: str) -> Delivery | None:
        """The newest generation."""
        return next(iter(await self._deliveries(_of(key) & (deliveries.c.channel == channel))), None)

    async def deliveries_of(self, key: SessionKey) -> list[Delivery]:
        return await self._deliveries(_of(key))

    async def _deliveries(self, condition: ColumnElement[bool]) -> list[Delivery]:
        query = select(*columns(deliveries, Delivery)).where(condition)
        newest_first = query.order_by(deliveries.c.generation.desc(), deliveries.c.id)
        async with self._reading() as connection:
            return [Delivery(**row) for row in (await connection.execute(newest_first)).mappings()]

    async def save_thread(self, delivery_id: int, **thread: ThreadValue) -> None:
        await self._set(deliveries.c.id == delivery_id, thread=thread)

    async def finish_delivery(self, delivery_id: int, state: EndState, error: str, now: float) -> None:
        await self._set(deliveries.c.id == delivery_id, state=state, error=error, finished_at=now, **_let_go)

    async def postpone_delivery(self, delivery_id: int, next_at: float, error: str, state: OpenState = "owed") -> None:
        """Nothing, where it has ended: what fails after that does not make it owed again."""
        still_owed = (deliveries.c.id == delivery_id) & deliveries.c.finished_at.is_(None)
        await self._set(still_owed, state=state, error=error, next_at=next_at, **_let_go)

    async def reopen_delivery(
        self,
        delivery_id: int,
        now: float,
        expires_at: float,
        *,
        asked_by: str | None = None,
        ask_id: int | None = None,
    ) -> bool:
        """One that ended is owed again, with the thread it has: its log has grown, or a person asked again.

        False where it had not ended.
        """
        values: dict[str, Any] = {"finished_at": None, "next_at": now, "expires_at": expires_at, "attempts": 0}
        if asked_by is not None:
            values |= {"asked_by": asked_by, "ask_id": ask_id, "cause": "ask"}
        ended = (deliveries.c.id == delivery_id) & deliveries.c.finished_at.is_not(None)
        return bool(await self._set(ended, state="owed", error="", **values))

    async def release_held(self, channel: str, now: float) -> list[int]:
        """The channel may take messages again: what was kept for it is owed now."""
        held = (deliveries.c.channel == channel) & (deliveries.c.state == "held")
        return await self._set(held, state="owed", next_at=now)

    async def hurry_deliveries(self, key: SessionKey, now: float) -> list[int]:
        """There is news of the session: what was to be tried later is due. Leases stay as they are."""
        waiting = _of(key) & (deliveries.c.state == "owed") & (deliveries.c.next_at > now)
        return await self._set(waiting, next_at=now)

    async def count_deliveries(self) -> dict[str, int]:
        """By state, of all that are remembered."""
        query = select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state)
        async with self._reading() as connection:
            return {row.state: row.number for row in await connection.execute(query)}

    async def _set(self, condition: ColumnElement[bool], **values: Any) -> list[int]:
        async with self._writing() as connection:
            changed: Iterable[int] = await connection.scalars(
                update(deliveries).where(condition).values(**values).returning(deliveries.c.id)
            )
            return sorted(changed)
