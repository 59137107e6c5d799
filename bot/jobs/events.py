"""Run events, looked for and turned into what the other rooms speak of."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from bot.errors import Gone, Unreachable
from bot.jobs.parts import Parts
from bot.reading.consoles import shown_command
from bot.scalingo.models import App, RunEvent
from bot.session import Session, SessionKey

# An id that no run event carries is refused within 10 s, whatever the length of the app's history.
LOOK_S = 8.0
# How far around a session's start its event is looked for again.
_OVERLAP = timedelta(minutes=15)


def session_of(event: RunEvent, region: str, app_name: str) -> Session:
    """`app_name` is the app's present one: the event's is frozen."""
    return Session(
        key=SessionKey(region, event.app_id, event.id),
        app_name=app_name,
        started_at=event.created_at,
        user_name=event.user.username,
        user_email=event.user.email,
        command=shown_command(event.command),
        audit_log_id=event.audit_log_id,
        audit_log_size=event.audit_log_size,
        detached=bool(event.detached),
    )


async def event_with_log(parts: Parts, region: str, app: App, audit_log_id: str) -> RunEvent:
    """Raises Gone where no run event of the app carries that id, or none is found in time."""
    looked_at = 0
    back_to: datetime | None = None
    try:
        async with asyncio.timeout(LOOK_S):
            async for event in parts.scalingo.run_events(region, app.name):
                if event.audit_log_id == audit_log_id and event.app_id == app.id:
                    return event
                looked_at, back_to = looked_at + 1, event.created_at
    except TimeoutError:
        if not looked_at:
            raise Unreachable("Scalingo did not answer in time.") from None
        raise Gone(
            f"I looked through the newest {looked_at} sessions of `{app.name}`, back to {back_to:%d %B %Y}, and none has the "
            f"audit log id `{audit_log_id}`: `/auditlog {app.name}` lists the newest."
        ) from None
    raise Gone(
        f"No session of `{app.name}` has the audit log id `{audit_log_id}`: `/auditlog {app.name}` lists the newest."
    )


async def newest_events(parts: Parts, region: str, app: App, at_most: int) -> list[RunEvent]:
    """Newest first; fewer where the app has fewer, or where they can't be had in time."""
    events: list[RunEvent] = []
    try:
        async with asyncio.timeout(LOOK_S):
            async for event in parts.scalingo.run_events(region, app.name):
                if event.app_id == app.id:
                    events.append(event)
                if len(events) >= at_most:
                    break
    except TimeoutError:
        if not events:
            raise Unreachable("Scalingo did not answer in time.") from None
    return events


async def find_event(parts: Parts, session: Session) -> RunEvent | None:
    """The session's event as it is now: what was missing in it may be there."""
    began = session.started_at
    scalingo = parts.scalingo.in_background()
    age = datetime.fromtimestamp(parts.now, UTC) - began
    if age < timedelta(hours=71):
        hours = int(age / timedelta(hours=1)) + 2
        events = await scalingo.run_events_of_last_hours(session.key.region, session.app_name, max(1, min(72, hours)))
        return next((event for event in events if event.id == session.key.event_id), None)
    async for event in scalingo.run_events(session.key.region, session.app_name):
        if event.id == session.key.event_id:
            return event
        if event.created_at < began - _OVERLAP:
            break
    return None


async def find_event_by_key(parts: Parts, key: SessionKey) -> tuple[str, RunEvent] | None:
    """Where nothing but the key is known: with the app's present name, among the events of the last days."""
    parts.names.doubt(key.region, key.app_id)
    name = await parts.names.present(key.region, key.app_id, key.app_id, parts.now)
    events = await parts.scalingo.in_background().run_events_of_last_hours(key.region, name, 72)
    return next(((name, event) for event in events if event.id == key.event_id), None)
