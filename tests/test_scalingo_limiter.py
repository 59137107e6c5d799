"""The limit holds exactly, in any window; commands go before everything else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from bot.scalingo.limiter import WINDOW_S, SlidingLimiter


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def no_waiting(timeout: float | None = None) -> Any:
            self.jumped += timeout or 0.0
            return select(0)

        self._selector.select = no_waiting  # type: ignore[attr-defined]

    def time(self) -> float:
        return self.jumped


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    yield loop
    loop.close()


def run(loop: VirtualLoop, coroutine: Coroutine[Any, Any, None]) -> None:
    loop.run_until_complete(coroutine)


def test_no_window_holds_more_than_the_limit(loop: VirtualLoop) -> None:
    limiter, sent = SlidingLimiter(60, clock=loop.time), list[float]()

    async def ask() -> None:
        await limiter.acquire(background=False)
        sent.append(loop.time())

    async def all_at_once() -> None:
        await asyncio.gather(*(ask() for _ in range(200)))

    run(loop, all_at_once())
    assert len(sent) == 200
    assert sent[59] < 1
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[60:], strict=False))
    # And no slower than the limit asks for.
    assert sent[-1] == pytest.approx(3 * WINDOW_S, abs=1)


def test_requests_go_in_the_order_in_which_they_came(loop: VirtualLoop) -> None:
    limiter, order = SlidingLimiter(2, clock=loop.time), list[int]()

    async def ask(number: int) -> None:
        await limiter.acquire(background=False)
        order.append(number)

    async def all_at_once() -> None:
        await asyncio.gather(*map(ask, range(7)))

    run(loop, all_at_once())
    assert order == list(range(7))


def test_a_third_of_the_window_is_kept_for_commands(loop: VirtualLoop) -> None:
    limiter, background, commands = SlidingLimiter(60, clock=loop.time), list[float](), list[float]()

    async def ask(*, in_background: bool) -> None:
        await limiter.acquire(background=in_background)
        (background if in_background else commands).append(loop.time())

    async def polls_then_commands() -> None:
        polls = [asyncio.create_task(ask(in_background=True)) for _ in range(100)]
        await asyncio.sleep(1)
        await asyncio.gather(*(ask(in_background=False) for _ in range(20)))
        await asyncio.gather(*polls)

    run(loop, polls_then_commands())
    assert sum(at < 60 for at in background) == 40
    assert all(at < 2 for at in commands)


def test_a_poll_waits_while_a_command_waits(loop: VirtualLoop) -> None:
    limiter, order = SlidingLimiter(3, clock=loop.time), list[str]()

    async def ask(name: str, *, in_background: bool) -> None:
        await limiter.acquire(background=in_background)
        order.append(name)

    async def everybody() -> None:
        for _ in range(3):
            await limiter.acquire(background=False)
        poll = asyncio.create_task(ask("poll", in_background=True))
        await asyncio.sleep(0)
        await asyncio.gather(poll, *(ask(f"command {n}", in_background=False) for n in range(4)))

    run(loop, everybody())
    assert order[-1] == "poll"


def test_a_pause_holds_for_everybody(loop: VirtualLoop) -> None:
    limiter, sent = SlidingLimiter(60, clock=loop.time), list[float]()

    async def ask(*, in_background: bool) -> None:
        await limiter.acquire(background=in_background)
        sent.append(loop.time())

    async def paused() -> None:
        await limiter.pause(7)
        await limiter.pause(2)
        await asyncio.gather(ask(in_background=False), ask(in_background=True))

    run(loop, paused())
    assert all(at >= 7 for at in sent)


def test_somebody_who_gave_up_waiting_is_not_counted(loop: VirtualLoop) -> None:
    limiter = SlidingLimiter(1, clock=loop.time)

    async def cancelled() -> None:
        await limiter.acquire(background=False)
        waiting = asyncio.create_task(limiter.acquire(background=False))
        await asyncio.sleep(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await limiter.acquire(background=True)
        assert loop.time() == pytest.approx(WINDOW_S, abs=0.1)

    run(loop, cancelled())


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_however_low_the_limit_a_poll_gets_its_turn(loop: VirtualLoop, limit: int) -> None:
    limiter = SlidingLimiter(limit, clock=loop.time)

    async def polls() -> None:
        for _ in range(3):
            await limiter.acquire(background=True)

    run(loop, polls())
    assert loop.time() <= 3 * WINDOW_S
