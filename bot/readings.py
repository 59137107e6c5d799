"""One download and one reading of a session, however many channels get it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.digest import Digest, Reader
from bot.errors import AuditLogCut, Unreachable
from bot.metrics import Metrics
from bot.scalingo.client import Scalingo
from bot.scratch import Scratch
from bot.session import Session

# Channels that subscribed to the same app come within this time of each other.
KEPT_S = 30.0
KEPT_BYTES = 64 * 1024 * 1024

Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class Reading:
    """`transcript` is masked and stripped; `log_bytes` is how long the audit log was."""

    digest: Digest
    transcript: Scratch
    log_bytes: int


@dataclass(slots=True)
class _Shared:
    task: asyncio.Task[Reading]
    listeners: set[Progress] = field(default_factory=set)
    users: int = 0


class Readings:
    def __init__(self, scalingo: Scalingo, reader: Reader, metrics: Metrics) -> None:
        self._scalingo = scalingo
        self._reader = reader
        self._metrics = metrics
        self._shared: dict[str, _Shared] = {}

    @asynccontextmanager
    async def of(
        self, session: Session, *, background: bool, on_progress: Progress | None = None
    ) -> AsyncIterator[Reading]:
        """Raises NotReady, AuditLogBroken, Unreachable and what else the download or the reading meets."""
        name = f"{session.key}/{session.audit_log_id}"
        shared = self._shared.get(name)
        if shared is None:
            shared = self._shared[name] = self._start(session, background=background)
        shared.users += 1
        if on_progress is not None:
            shared.listeners.add(on_progress)
        try:
            # Shielded: another channel may be waiting for the same reading.
            yield await asyncio.shield(shared.task)
        finally:
            shared.users -= 1
            if on_progress is not None:
                shared.listeners.discard(on_progress)
            self._release(name, shared)

    def forget(self, session: Session) -> None:
        """The log may have grown since it was read: the next reading is a new one."""
        shared = self._shared.pop(f"{session.key}/{session.audit_log_id}", None)
        if shared is not None and not shared.users:
            self._drop(shared)

    def close(self) -> None:
        for shared in self._shared.values():
            self._drop(shared)
        self._shared.clear()

    def _start(self, session: Session, *, background: bool) -> _Shared:
        listeners: set[Progress] = set()

        def tell(done: int, total: int | None) -> None:
            for listener in tuple(listeners):
                listener(done, total)

        return _Shared(asyncio.create_task(self._read(session, tell, background=background)), listeners)

    async def _read(self, session: Session, tell: Progress, *, background: bool) -> Reading:
        key, audit_log_id = session.key, session.audit_log_id or ""
        scalingo = self._scalingo.in_background() if background else self._scalingo
        transcript = Scratch()
        try:
            with Scratch() as log:
                await scalingo.download_audit_log(
                    key.region, session.app_name, audit_log_id, log.path, on_progress=tell
                )
                began = time.monotonic()
                digest = await self._reader.read(log, transcript)
                self._metrics.reading.observe(time.monotonic() - began)
                return Reading(digest, transcript, log.size)
        except AuditLogCut:
            transcript.close()
            raise Unreachable("The audit log came cut off; it is fetched again.") from None
        except BaseException:
            transcript.close()
            raise

    def _release(self, name: str, shared: _Shared) -> None:
        if shared.users:
            return
        if (
            not shared.task.done()
            or shared.task.cancelled()
            or shared.task.exception()
            or self._shared.get(name) is not shared
        ):
            self._shared.pop(name, None) if self._shared.get(name) is shared else None
            self._drop(shared)
        elif shared.task.result().transcript.size > KEPT_BYTES:
            self._expire(name, shared)
        else:
            asyncio.get_running_loop().call_later(KEPT_S, self._expire, name, shared)

    def _expire(self, name: str, shared: _Shared) -> None:
        if not shared.users and self._shared.get(name) is shared:
            del self._shared[name]
            self._drop(shared)

    @staticmethod
    def _drop(shared: _Shared) -> None:
        if not shared.task.done():
            shared.task.cancel()
        elif not shared.task.cancelled() and not shared.task.exception():
            shared.task.result().transcript.close()
