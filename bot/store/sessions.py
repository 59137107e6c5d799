"""Every session that was heard of, once, and what has become of reading it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import ColumnElement, RowMapping, and_, func, select, update

from bot.session import Session, SessionKey
from bot.store.database import Database
from bot.store.schema import sessions

SessionState = Literal["seen", "waiting", "read", "no_log", "failed"]


class SessionFacts(TypedDict, total=False):
    """What is learnt of a session after it was first heard of."""

    app_name: str
    audit_log_id: str | None
    audit_log_size: int | None
    state: SessionState
    read_size: int
    commands: int
    duration_s: float
    recheck_at: float | None
    rechecks: int


@dataclass(frozen=True, slots=True)
class KnownSession:
    """`read_size` is that of the audit log (bytes) when it was last read: it may have grown since."""

    session: Session
    state: SessionState
    seen_at: float
    read_size: int | None
    commands: int | None
    duration_s: float | None
    recheck_at: float | None
    rechecks: int


def is_session(key: SessionKey) -> ColumnElement[bool]:
    return and_(sessions.c.region == key.region, sessions.c.app_id == key.app_id, sessions.c.event_id == key.event_id)


class Sessions(Database):
    async def add_session(self, session: Session, now: float) -> bool:
        """False where it was known; what is new about it is then for `update_session`."""
        insert = self._insert(sessions).values(
            region=session.key.region,
            app_id=session.key.app_id,
            event_id=session.key.event_id,
            app_name=session.app_name,
            started_at=session.started_at.isoformat(),
            started_s=session.started_at.timestamp(),
            user_name=session.user_name,
            user_email=session.user_email,
            command=session.command,
            audit_log_id=session.audit_log_id,
            audit_log_size=session.audit_log_size,
            detached=session.detached,
            seen_at=now,
        )
        async with self._writing() as connection:
            added = await connection.execute(insert.on_conflict_do_nothing().returning(sessions.c.event_id))
            return added.one_or_none() is not None

    async def update_session(self, key: SessionKey, **facts: Unpack[SessionFacts]) -> None:
        async with self._writing() as connection:
            await connection.execute(update(sessions).where(is_session(key)).values(**facts))

    async def session(self, key: SessionKey) -> KnownSession | None:
        return next(iter(await self._sessions(is_session(key))), None)

    async def session_by_log(self, region: str, app_id: str, audit_log_id: str) -> KnownSession | None:
        found = await self._sessions(
            (sessions.c.region == region) & (sessions.c.app_id == app_id) & (sessions.c.audit_log_id == audit_log_id)
        )
        return next(iter(found), None)

    async def sessions_to_recheck(self, now: float) -> list[KnownSession]:
        """Those whose log may have come or grown, the longest due first."""
        return await self._sessions(sessions.c.recheck_at <= now)

    async def _sessions(self, condition: ColumnElement[bool]) -> list[KnownSession]:
        query = select(sessions).where(condition).order_by(sessions.c.recheck_at, sessions.c.started_s)
        async with self._reading() as connection:
            return [_known(row) for row in (await connection.execute(query)).mappings()]

    async def session_states(self, region: str, app_id: str, event_ids: Collection[str]) -> dict[str, SessionState]:
        """By event id; one that was never heard of is missing."""
        query = select(sessions.c.event_id, sessions.c.state).where(
            sessions.c.region == region, sessions.c.app_id == app_id, sessions.c.event_id.in_(event_ids)
        )
        async with self._reading() as connection:
            return {row.event_id: row.state for row in await connection.execute(query)}

    async def count_sessions(self, region: str, app_id: str, since: float) -> dict[str, int]:
        """By state, of those that started at `since` or later."""
        query = (
            select(sessions.c.state, func.count().label("number"))
            .where(sessions.c.region == region, sessions.c.app_id == app_id, sessions.c.started_s >= since)
            .group_by(sessions.c.state)
        )
        async with self._reading() as connection:
            return {row.state: row.number for row in await connection.execute(query)}


def _known(row: RowMapping) -> KnownSession:
    facts: dict[str, Any] = {
        name: row[name]
        for name in ("state", "seen_at", "read_size", "commands", "duration_s", "recheck_at", "rechecks")
    }
    session = Session(
        key=SessionKey(row["region"], row["app_id"], row["event_id"]),
        started_at=datetime.fromisoformat(row["started_at"]),
        **{
            name: row[name]
            for name in (
                "app_name",
                "user_name",
                "user_email",
                "command",
                "audit_log_id",
                "audit_log_size",
                "detached",
            )
        },
    )
    return KnownSession(session=session, **facts)
