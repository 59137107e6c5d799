"""Seconds and bytes: how fast commands are acknowledged, and how much memory all processes of a bot take together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Self

import psutil
from serving import House, Process

EVERY_S = 0.1


class Sizes:
    """Looks every tenth of a second while the block lasts. PSS counts what processes share once."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes
        self.peak_mb = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while True:
            self.peak_mb = max(self.peak_mb, await asyncio.to_thread(pss_mb, [each.pid for each in self._processes]))
            await asyncio.sleep(EVERY_S)


def pss_mb(pids: Iterable[int]) -> float:
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            family = psutil.Process(pid)
            for process in (family, *family.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    total += process.memory_full_info().pss
    return total / 1e6


async def acknowledged(house: House, *, every_s: float, count: int | None = None) -> list[float]:
    """Types a command again and again, until `count` or until it is cancelled; the seconds until each was acknowledged."""
    seconds: list[float] = []
    with contextlib.suppress(asyncio.CancelledError):
        while count is None or len(seconds) < count:
            ack = await house.slack.types("/auditlog subscriptions")
            assert ack.status == 200, ack
            seconds.append(ack.seconds)
            await asyncio.sleep(every_s)
    return seconds


def percentile(seconds: Sequence[float], part: float) -> float:
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
