"""The queue: what is put is run, once or once more, in one process or several, whatever becomes of the database."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psycopg
import pytest
from postgres import server
from structlog.testing import capture_logs

from bot.errors import Unreachable
from bot.queue import HEARTBEAT_TIMEOUT, Queue
from bot.store import Store

PATIENCE_S = 20.0


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.01)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.sqlite" if request.param == "sqlite" else server().database()


@pytest.fixture
def postgresql() -> str:
    return server().database()


class Process:
    """What one process has: a store, a queue on it, and the queue running."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self.store = store
        self.queue = queue
        self.ran: list[str] = []
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def on(cls, url: str) -> Process:
        store = await Store.open(url)
        return cls(store, await Queue.on(store))

    def notes(self, name: str, concurrency: int = 4) -> None:
        async def note(key: str) -> None:
            self.ran.append(key)

        self.queue.handle(name, note, concurrency)

    def start(self) -> None:
        self._task = asyncio.create_task(self.queue.run())

    async def end(self) -> None:
        await self.queue.stop(0.1)
        if self._task is not None:
            await self._task
        await self.store.close()


@pytest.fixture
async def process(url: str) -> AsyncIterator[Process]:
    process = await Process.on(url)
    yield process
    await process.end()


async def test_a_job_runs_with_its_key(process: Process) -> None:
    process.notes("deliver")
    process.start()
    await process.queue.put("deliver", "osc-fr1/shop/é")
    await until(lambda: process.ran == ["osc-fr1/shop/é"])


async def test_what_was_put_before_the_start_runs_too(process: Process) -> None:
    process.notes("deliver")
    await process.queue.put("deliver", "1")
    process.start()
    await until(lambda: process.ran == ["1"])


async def test_what_waits_already_is_not_put_twice(process: Process) -> None:
    process.notes("deliver", concurrency=1)
    for _ in range(50):
        await process.queue.put("deliver", "1")
    process.start()
    await process.queue.put("deliver", "last")
    await until(lambda: "last" in process.ran)
    # The first, and one for whatever came while the first may have been running.
    assert 1 <= process.ran.count("1") <= 2


async def test_what_is_put_while_it_runs_runs_once_more_afterwards(process: Process) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    at_once: list[int] = []
    runs = 0

    async def handler(key: str) -> None:
        nonlocal runs
        at_once.append(1)
        assert len(at_once) == 1
        runs += 1
        begun.set()
        await go_on.wait()
        at_once.pop()

    process.queue.handle("deliver", handler, 4)
    process.start()
    await process.queue.put("deliver", "1")
    await begun.wait()
    await process.queue.put("deliver", "1")
    await process.queue.put("deliver", "1")
    # The queue must have come past it before the first run ends.
    await process.queue.put("deliver", "other")
    go_on.set()
    await until(lambda: runs == 3)


async def test_a_later_one_does_not_keep_the_same_from_running_now(process: Process) -> None:
    process.notes("deliver")
    process.start()
    await process.queue.put("deliver", "1", delay_s=3600)
    await process.queue.put("deliver", "1")
    await until(lambda: process.ran == ["1"])


async def test_a_delayed_one_runs_in_its_time(process: Process) -> None:
    process.notes("deliver")
    process.start()
    await process.queue.put("deliver", "later", delay_s=1)
    await process.queue.put("deliver", "now")
    await until(lambda: process.ran == ["now", "later"])


async def test_one_slow_job_holds_up_no_other(process: Process) -> None:
    never = asyncio.Event()

    async def slow(key: str) -> None:
        await never.wait()

    process.queue.handle("read", slow, 2)
    process.notes("answer")
    process.start()
    for key in ("1", "2", "3"):
        await process.queue.put("read", key)
    await process.queue.put("answer", "a")
    await until(lambda: process.ran == ["a"])


async def test_no_more_run_at_once_than_may(process: Process) -> None:
    now, most, done = 0, 0, 0

    async def handler(key: str) -> None:
        nonlocal now, most, done
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        done += 1

    process.queue.handle("deliver", handler, 3)
    process.start()
    for key in range(40):
        await process.queue.put("deliver", str(key))
    await until(lambda: done == 40)
    assert most <= 3


async def test_a_job_that_fails_ends_and_the_others_go_on(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(key: str) -> None:
        raise ValueError("secret-of-a-session")

    process.queue.handle("broken", broken, 1)
    process.notes("deliver")
    process.start()
    with capture_logs() as logs:
        await process.queue.put("broken", "1")
        await until(lambda: any(each.get("error") == "ValueError" for each in logs))
        await process.queue.put("deliver", "2")
        await until(lambda: process.ran == ["2"])
    assert "secret-of-a-session" not in f"{logs}{caplog.text}"


async def test_what_may_be_tried_again_is(process: Process) -> None:
    tries = 0

    async def handler(key: str) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unreachable("Slack does not answer.", retry_after_s=0.01)

    process.queue.handle("deliver", handler, 1)
    process.start()
    await process.queue.put("deliver", "1")
    await until(lambda: tries == 3)


async def test_stopping_waits_for_what_runs(process: Process) -> None:
    begun, ended = asyncio.Event(), False

    async def handler(key: str) -> None:
        nonlocal ended
        begun.set()
        await asyncio.sleep(0.2)
        ended = True

    process.queue.handle("deliver", handler, 1)
    process.start()
    await process.queue.put("deliver", "1")
    await begun.wait()
    await process.queue.stop(PATIENCE_S)
    assert ended


async def test_stopping_cancels_what_takes_too_long(process: Process) -> None:
    begun, cancelled = asyncio.Event(), False

    async def handler(key: str) -> None:
        nonlocal cancelled
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled = True
            raise

    process.queue.handle("deliver", handler, 1)
    process.start()
    await process.queue.put("deliver", "1")
    await begun.wait()
    await process.queue.stop(0.01)
    assert cancelled
    assert not process.queue.connected


async def test_stopping_before_the_start_is_no_harm(process: Process) -> None:
    await process.queue.stop(0.01)


async def test_a_job_that_cancels_itself_is_run_again(process: Process) -> None:
    runs = 0

    async def handler(key: str) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise asyncio.CancelledError

    process.queue.handle("deliver", handler, 1)
    process.start()
    await process.queue.put("deliver", "1")
    await until(lambda: runs == 2)


async def test_a_cancelled_run_leaves_nothing_running(process: Process) -> None:
    begun, cancelled = asyncio.Event(), False

    async def handler(key: str) -> None:
        nonlocal cancelled
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled = True

    process.queue.handle("deliver", handler, 1)
    run = asyncio.create_task(process.queue.run())
    await process.queue.put("deliver", "1")
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert cancelled


async def test_what_is_written_down_of_jobs_that_are_over_goes(url: str) -> None:
    store = await Store.open(url)
    queue = await Queue.on(store, tidy_every_s=0.05)
    ran = asyncio.Event()

    async def handler(key: str) -> None:
        ran.set()

    queue.handle("deliver", handler, 1)
    await queue.put("deliver", "1")
    assert await queue._queries.queue_log()
    run = asyncio.create_task(queue.run())
    await ran.wait()
    async with asyncio.timeout(PATIENCE_S):
        while await queue._queries.queue_log():
            await asyncio.sleep(0.02)
    await queue.stop(1)
    await run
    await store.close()


# --- on PostgreSQL alone


BEGIN_AND_HANG = """
import asyncio, sys
from bot.queue import HEARTBEAT_TIMEOUT, Queue
from bot.store import Store
async def main():
    queue = await Queue.on(await Store.open(sys.argv[1]))
    async def hang(key):
        print(key, flush=True)
        await asyncio.Event().wait()
    queue.handle("deliver", hang, 1)
    await queue.put("deliver", "1")
    await queue.run()
asyncio.run(main())
"""


async def test_the_work_of_a_killed_process_is_done_by_another(postgresql: str) -> None:
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BEGIN_AND_HANG, postgresql, stdout=subprocess.PIPE
    )
    assert killed.stdout is not None
    assert (await killed.stdout.readline()).strip() == b"1"
    killed.kill()
    await killed.wait()
    process = await Process.on(postgresql)
    process.notes("deliver", concurrency=1)
    process.start()
    async with await psycopg.AsyncConnection.connect(postgresql, autocommit=True) as connection:
        # What the passing of time does.
        await connection.execute(f"UPDATE pgqueuer SET heartbeat = now() - interval '{HEARTBEAT_TIMEOUT.seconds}s'")
    await until(lambda: process.ran == ["1"])
    await process.end()


async def test_two_processes_share_the_work_and_none_is_done_twice(postgresql: str) -> None:
    first, second = await Process.on(postgresql), await Process.on(postgresql)
    for process in (first, second):
        process.notes("deliver", concurrency=2)
        process.start()
    for key in range(60):
        await first.queue.put("deliver", str(key))
    await until(lambda: len(first.ran) + len(second.ran) >= 60)
    await first.end()
    await second.end()
    assert sorted(map(int, first.ran + second.ran)) == list(range(60))


async def test_what_is_handed_back_runs_in_the_other_process(postgresql: str) -> None:
    first, second = await Process.on(postgresql), await Process.on(postgresql)
    begun = asyncio.Event()

    async def endless(key: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    first.queue.handle("deliver", endless, 1)
    first.start()
    await first.queue.put("deliver", "1")
    await begun.wait()
    second.notes("deliver", concurrency=1)
    second.start()
    await first.end()
    await until(lambda: second.ran == ["1"])
    await second.end()


async def test_work_goes_on_after_the_connections_were_cut(postgresql: str) -> None:
    process = await Process.on(postgresql)
    process.notes("deliver")
    process.start()
    await process.queue.put("deliver", "before")
    await until(lambda: process.ran == ["before"])
    async with await psycopg.AsyncConnection.connect(postgresql, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await process.queue.put("deliver", "after")
    await until(lambda: process.ran == ["before", "after"])
    await process.end()


async def test_a_long_job_does_not_keep_the_queue_from_reconnecting(postgresql: str) -> None:
    process = await Process.on(postgresql)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def long(key: str) -> None:
        begun.set()
        await go_on.wait()
        process.ran.append(key)

    process.queue.handle("read", long, 2)
    process.notes("deliver")
    process.start()
    await process.queue.put("read", "long")
    await begun.wait()
    server().stop()
    await until(lambda: not process.queue.connected)
    server().start()
    await until(lambda: process.queue.connected)
    await process.queue.put("deliver", "meanwhile")
    await until(lambda: process.ran == ["meanwhile"])
    go_on.set()
    await until(lambda: process.ran == ["meanwhile", "long"])
    await process.end()


async def test_its_tables_are_made_again_where_they_were_lost(postgresql: str) -> None:
    process = await Process.on(postgresql)
    async with await psycopg.AsyncConnection.connect(postgresql, autocommit=True) as connection:
        await connection.execute("DROP TABLE pgqueuer, pgqueuer_log, pgqueuer_statistics, pgqueuer_schedules")
        await connection.execute("DROP TYPE pgqueuer_status")
        await connection.execute("DROP FUNCTION fn_pgqueuer_changed")
    process.notes("deliver")
    process.start()
    await until(lambda: process.queue.connected)
    await process.queue.put("deliver", "1")
    await until(lambda: process.ran == ["1"])
    await process.end()


async def test_the_environment_names_none_of_its_tables(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNEL", "#ops; drop")
    monkeypatch.setenv("FUNCTION", "1")
    process = await Process.on(postgresql)
    process.notes("deliver")
    process.start()
    await process.queue.put("deliver", "1")
    await until(lambda: process.ran == ["1"])
    await process.end()
