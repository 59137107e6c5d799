"""200 run events at once, and one huge audit log, while a command is typed every tenth of a second: `python bench/load.py FILE`.

FILE is an audit log of 122,445,385 bytes or so. Memory is the PSS of the bot's process and its readers together, at its peak.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from measuring import Sizes, acknowledged, percentile  # noqa: E402
from serving import House, TrappedSlack  # noqa: E402

EVENTS = 200


@dataclass(frozen=True)
class Measured:
    what: str
    seconds: float
    acks: list[float]
    peak_mb: float

    def row(self) -> list[str]:
        return [
            self.what,
            f"{self.seconds:.1f} s",
            str(len(self.acks)),
            f"{1000 * percentile(self.acks, 0.99):.0f} ms",
            f"{1000 * max(self.acks):.0f} ms",
            f"{self.peak_mb:.0f} MB",
        ]


async def huge(log: Path, size: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        async with House(Path(folder)) as house:
            await house.start()
            await house.subscribe()
            event = house.ran("huge", log=log)
            return await _measured(house, [event], f"a log of {size:,} bytes", within_s=600)


async def many() -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        async with House(Path(folder), slack=TrappedSlack(seconds_a_message=1.0), POLL_EVERY_S="2") as house:
            await house.start()
            await house.subscribe()
            events = [house.ran(f"task {number}") for number in range(EVENTS)]
            await asyncio.gather(*(house.scalingo.fire(event) for event in events))
            return await _measured(house, events, f"{EVENTS} events at once, one message a second", within_s=900)


async def _measured(house: House, events: list[dict[str, object]], what: str, *, within_s: float) -> Measured:
    async with Sizes(house.processes) as sizes:
        began = time.monotonic()
        typing = asyncio.create_task(acknowledged(house, every_s=0.1))
        await house.settled(events, within_s=within_s, quiet_s=0, every_s=2.0 if len(events) > 1 else 0.1)
        seconds = time.monotonic() - began
        typing.cancel()
        return Measured(what, seconds, await typing, sizes.peak_mb)


async def measure(log: Path | None, size: int, *, events: bool) -> list[Measured]:
    return [*([await huge(log, size)] if log else []), *([await many()] if events else [])]


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python bench/load.py", description=__doc__)
    arguments.add_argument("log", type=Path, nargs="?", help="a huge audit log")
    arguments.add_argument(
        "--no-events", action="store_true", help="the huge log alone: 200 threads take seven minutes"
    )
    given = arguments.parse_args()
    size = given.log.stat().st_size if given.log else 0
    table = Table("what", "until done", "acks", "p99", "slowest (goal 250 ms)", "peak PSS (goal 256 MB)")
    for measured in asyncio.run(measure(given.log, size, events=not given.no_events)):
        table.add_row(*measured.row())
    Console().print(table)


if __name__ == "__main__":
    main()
