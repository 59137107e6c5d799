"""The reader's trail: who asked for which session, when and where, and what came of it, refusals too."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bot.store.database import Database, columns
from bot.store.schema import trail


@dataclass(frozen=True, slots=True)
class Step:
    """`who` is a Slack user id; `session` a session's key, or an audit log id where no session was found."""

    at: float
    who: str
    channel: str
    region: str
    app: str
    session: str
    action: str
    outcome: str


class Trail(Database):
    async def record(
        self, *, who: str, channel: str, region: str, app: str, session: str, action: str, outcome: str, now: float
    ) -> None:
        async with self._writing() as connection:
            await connection.execute(
                self._insert(trail).values(
                    at=now,
                    who=who,
                    channel=channel,
                    region=region,
                    app=app,
                    session=session,
                    action=action,
                    outcome=outcome,
                )
            )

    async def trail(self, limit: int, *, session: str | None = None, who: str | None = None) -> list[Step]:
        """The newest first."""
        query = select(*columns(trail, Step)).order_by(trail.c.id.desc()).limit(limit)
        if session is not None:
            query = query.where(trail.c.session == session)
        if who is not None:
            query = query.where(trail.c.who == who)
        async with self._reading() as connection:
            return [Step(**row) for row in (await connection.execute(query)).mappings()]
