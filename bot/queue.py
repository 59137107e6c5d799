"""Hands out work: by PgQueuer, between all processes on PostgreSQL, or within this one.

The store is the truth and this only dispatches: what gets lost here is found by the next sweep over the store, and what
comes twice finds that there is nothing left to do. So nothing is kept here but a job's name and its key.

What was learnt of PgQueuer 1.6 (what does not need a clock to be seen is held by a test):

* Its psycopg driver listens and asks on one connection, and waits for notifications with that connection's lock held: to
  put a job took 0.6 s, and 1.6 s passed until it ran. Here LISTEN has a connection of its own and the statements go
  through the store's pool; both take milliseconds then.
* A dedupe key is taken while its job is queued *and* while it runs: what is put meanwhile would be dropped, although the
  run may be past the point where it looked. It gets a second key then, and runs once more afterwards.
* `concurrency_limit` counts the jobs of all processes together.
* A job whose process died is handed out again when its heartbeat is older than `heartbeat_timeout`.
* When its connection breaks, `QueueManager.run` waits for the jobs that run and raises; it is never run twice.
* It probes whether it hears itself as soon as it runs, and after 10 s ends where it did not: LISTEN comes first.
* Logs and statistics of jobs grow without end, in memory too; nobody reads them here.
* It stores an exception's text and logs its traceback: no exception but its own may reach it.
* Names of its tables come from variables as general as FUNCTION or CHANNEL: here the environment is not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import structlog
from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager, cancel_on_exit
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Channel, Job
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.qm import QueueManager
from psycopg import AsyncConnection, AsyncRawCursor, sql
from psycopg.rows import dict_row
from pydantic_settings import PydanticBaseSettingsSource

from bot.errors import BotError, Retryable, StoreDown
from bot.store.database import Database

Handler = Callable[[str], Coroutine[Any, Any, None]]

# A dead process's jobs are others' after the first, found at the latest after the second.
HEARTBEAT_TIMEOUT = timedelta(seconds=15)
LOOK_EVERY = timedelta(seconds=10)
# While jobs wait for others to end, which wakes the queue by itself.
LOOK_AGAIN = timedelta(seconds=0.5)
TIDY_EVERY_S = 3600.0
HAND_BACK_WITHIN_S = 1.5
_RECONNECT_WAITS_S = (0.2, 0.5, 1, 2, 5, 10)
_RETRY_WAITS_S = (1, 2, 5, 10, 30, 60)


class _Names(DBSettings):
    """PgQueuer's names as they are by default."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: Any, init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class PooledDriver:
    """PgQueuer's way to PostgreSQL: statements through the store's pool, LISTEN on a connection of its own.

    `lost` is set when the database is. Errors come as StoreDown.
    """

    def __init__(self, store: Database) -> None:
        self._store = store
        self.shutdown = asyncio.Event()
        self.lost = asyncio.Event()
        self.tm = TaskManager()
        self._callbacks: dict[str, list[NotifyCallback]] = {}

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        async with self._connection() as connection:
            cursor = AsyncRawCursor(connection, row_factory=dict_row)
            await cursor.execute(query, args or None)
            return await cursor.fetchall()

    async def execute(self, query: str, *args: object) -> str:
        async with self._connection() as connection:
            cursor = await AsyncRawCursor(connection).execute(query, args or None)
            return cursor.statusmessage or ""

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        try:
            async with self._store.raw_connection() as connection:
                yield connection
        except StoreDown:
            self.lost.set()
            raise

    async def notify(self, channel: str, payload: str) -> None:
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        self._callbacks.setdefault(channel, []).append(callback)

    @asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[None]:
        """Before `QueueManager.run`: that sends itself a probe at once, and gives up where it does not hear it."""
        connection = await self._store.connect_beside()
        try:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            async with cancel_on_exit(asyncio.create_task(self._watch(connection))):
                yield
        finally:
            await connection.close()

    async def _watch(self, connection: AsyncConnection[Any]) -> None:
        try:
            async for note in connection.notifies():
                for callback in self._callbacks.get(note.channel, []):
                    callback(note.payload)
        finally:
            self.lost.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.shutdown.set()


@dataclass(frozen=True, slots=True)
class _Handled:
    handler: Handler
    concurrency: int


class Queue:
    """`await Queue.on(store)`, then `handle` every name, then `run`; `put` may be called at any time after the first."""

    def __init__(self, store: Database, tidy_every_s: float) -> None:
        self._store = store
        self._tidy_every_s = tidy_every_s
        names = _Names()
        self._builders: dict[str, Any] = {
            "qbe": QueryBuilderEnvironment(names),
            "qbq": QueryQueueBuilder(names),
            "qbs": QuerySchedulerBuilder(names),
        }
        self._queries: Queries | InMemoryQueries = (
            self._on_postgresql()[0] if store.on_postgresql else InMemoryQueries(InMemoryDriver(), **self._builders)
        )
        self._handled: dict[str, _Handled] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._once_more: set[str] = set()
        # Managers that take no new job, and end with the last that they run.
        self._draining: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._failures = 0
        self.connected = False

    @classmethod
    async def on(cls, store: Database, *, tidy_every_s: float = TIDY_EVERY_S) -> Self:
        """Raises StoreDown."""
        self = cls(store, tidy_every_s)
        await self._install()
        return self

    def _on_postgresql(self) -> tuple[Queries, PooledDriver]:
        driver = PooledDriver(self._store)
        return Queries(driver, **self._builders), driver

    def handle(self, name: str, handler: Handler, concurrency: int) -> None:
        """At most `concurrency` of them run at once, in all processes together; one key never twice in this one.

        A Retryable that `handler` raises has it called again, after its own time or growing ones; whatever else it
        raises is logged by its class and left to the sweep.
        """
        self._handled[name] = _Handled(handler, concurrency)

    async def put(self, name: str, key: str, delay_s: float = 0.0) -> None:
        """What waits already is not put twice; what runs already runs once more. Raises StoreDown.

        Once more afterwards, where it runs in the process that gets it; where another process runs it, the handler is
        called beside it and must see for itself (a lease) that there is nothing for it to do.
        """
        job = f"{name}:{key}"
        if delay_s > 0:
            # Not the key of one that is to run now: that must not wait for this.
            await self._enqueue(name, key, f"{job}@{time.time() + delay_s:.3f}", timedelta(seconds=delay_s))
        elif not await self._enqueue(name, key, job):
            await self._enqueue(name, key, f"{job}#once more")

    async def _enqueue(self, name: str, key: str, dedupe_key: str, delay: timedelta | None = None) -> bool:
        ids = await self._queries.enqueue(
            name, key.encode(), execute_after=delay, dedupe_key=dedupe_key, on_conflict="skip"
        )
        return ids != [None]

    async def run(self) -> None:
        """Until `stop`; the database may go away and come back meanwhile."""
        self._ended.clear()
        try:
            while not self._stopping.is_set():
                try:
                    await self._work()
                except Exception as error:
                    # Whatever it is: the store keeps what is owed, and this tries until it can work again.
                    wait_s = _RECONNECT_WAITS_S[min(self._failures, len(_RECONNECT_WAITS_S) - 1)]
                    self._failures += 1
                    _log().warning("queue out of work", error=type(error).__name__, retry_in_s=wait_s)
                    await self._sleep(wait_s)
        except asyncio.CancelledError:
            self._cancel_running()
            raise
        finally:
            if self._draining:
                await asyncio.wait(self._draining)
            self._ended.set()

    async def stop(self, timeout_s: float) -> None:
        """No new job; those that run have `timeout_s` to end, and are cancelled and handed back then."""
        self._stopping.set()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=timeout_s)
        self._cancel_running()
        # Where the database does not answer, nothing can be handed back: the store's leases run out.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), HAND_BACK_WITHIN_S)

    def _cancel_running(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _install(self) -> None:
        if isinstance(self._queries, InMemoryQueries):
            return
        async with self._store.migrating():
            if await self._queries.schema_is_installed():
                await self._queries.upgrade()
            else:
                await self._queries.install()

    async def _work(self) -> None:
        """Until `stop`, or until the database is lost. Raises StoreDown then."""
        await self._install()
        self._failures = 0
        if isinstance(self._queries, InMemoryQueries):
            await self._dispatch(self._queries, asyncio.Event())
            return
        queries, driver = self._on_postgresql()
        async with driver.listening(queries.qbe.settings.channel):
            await self._dispatch(queries, driver.lost)

    async def _dispatch(self, queries: Queries | InMemoryQueries, lost: asyncio.Event) -> None:
        manager = self._manager(queries)
        work = asyncio.create_task(
            manager.run(
                dequeue_timeout=LOOK_EVERY,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                shutdown_on_listener_failure=True,
                log_aggregation_interval=timedelta(0),
            )
        )
        self._draining.add(work)
        work.add_done_callback(self._drained)
        self.connected = True
        try:
            await _first(work, self._stopping.wait(), lost.wait(), self._tidy())
        finally:
            self.connected = False
            manager.shutdown.set()
        if work.done():
            work.result()
        if lost.is_set():
            raise StoreDown("The database was lost while the queue waited for work.")

    def _drained(self, work: asyncio.Task[None]) -> None:
        self._draining.discard(work)
        # What it met was told by `lost`, or is told by `_work`.
        _ = work.cancelled() or work.exception()

    async def _tidy(self) -> None:
        """What PgQueuer has written down of jobs that are over goes."""
        while True:
            await asyncio.sleep(self._tidy_every_s)
            with contextlib.suppress(BotError):
                await self._queries.clear_queue_log(list(self._handled))
                await self._queries.clear_statistics_log(list(self._handled))

    def _manager(self, queries: Queries | InMemoryQueries) -> QueueManager:
        manager = QueueManager(queries, Channel(queries.qbe.settings.channel))
        manager.min_dequeue_poll_interval = LOOK_AGAIN
        for name, handled in self._handled.items():
            manager.entrypoint(name, concurrency_limit=handled.concurrency)(self._entrypoint(handled.handler))
        return manager

    def _entrypoint(self, handler: Handler) -> Callable[[Job], Coroutine[Any, Any, None]]:
        async def run(job: Job) -> None:
            await self._run(handler, job)

        return run

    async def _run(self, handler: Handler, job: Job) -> None:
        key = (job.payload or b"").decode()
        running = f"{job.entrypoint}:{key}"
        if self._stopping.is_set():
            raise RetryRequested
        if running in self._running:
            self._once_more.add(running)
            return
        while True:
            self._once_more.discard(running)
            task = self._running[running] = asyncio.create_task(handler(key))
            try:
                await asyncio.wait({task})
            finally:
                del self._running[running]
                task.cancel()
            self._judge(task, job)
            if running not in self._once_more or self._stopping.is_set():
                return

    def _judge(self, task: asyncio.Task[None], job: Job) -> None:
        """Raises RetryRequested where the job is to be run again, here or in another process."""
        if task.cancelled():
            raise RetryRequested(timedelta(seconds=0 if self._stopping.is_set() else 1))
        error = task.exception()
        if error is None:
            return
        told = {"job": job.entrypoint, "error": type(error).__name__}
        if not isinstance(error, Retryable):
            _log().error("job failed", **told)
            return
        wait_s = error.retry_after_s or _RETRY_WAITS_S[min(job.attempts, len(_RETRY_WAITS_S) - 1)]
        _log().info("job put off", **told, retry_in_s=wait_s)
        raise RetryRequested(timedelta(seconds=wait_s))


async def _first(work: asyncio.Task[None], *others: Coroutine[Any, Any, Any]) -> None:
    """Returns when one of them ends; `work` goes on."""
    tasks = [asyncio.create_task(other) for other in others]
    try:
        await asyncio.wait([work, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("bot")
    return logger
