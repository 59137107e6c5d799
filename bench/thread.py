"""How fast a command is acknowledged, and how soon its thread is there: `python bench/thread.py`.

The bot is a process of its own on loopback, Slack and Scalingo are the stand-ins in this one. Warm: the app's readers are known.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from measuring import acknowledged, percentile, pss_mb  # noqa: E402
from serving import House  # noqa: E402


async def measure(commands: int, rounds: int) -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        async with House(Path(folder), POLL_EVERY_S="3600") as house:
            await house.start()
            idle_mb = pss_mb([house.bot.pid])
            acks = await acknowledged(house, every_s=0.01, count=commands)
            threads, of_slack, of_scalingo = [], [], []
            for number in range(rounds):
                event = house.ran(f"task {number}")
                # Slack takes a message a second, and bursts of four.
                await asyncio.sleep(4)
                before = len(house.slack.made), len(house.scalingo.made)
                began = time.perf_counter()
                await house.slack.types(f"/auditlog shop {event['type_data']['audit_log_id']}")
                await house.slack.thread(nth=number)
                threads.append(time.perf_counter() - began)
                await asyncio.sleep(0.5)
                of_slack.append(len(house.slack.made) - before[0])
                of_scalingo.append(len(house.scalingo.made) - before[1])
    return [
        (f"ack, p50 of {commands}", f"{1000 * percentile(acks, 0.5):.1f} ms", "20 ms"),
        ("ack, p99", f"{1000 * percentile(acks, 0.99):.1f} ms", "250 ms"),
        ("thread of the sample, first", f"{threads[0]:.2f} s", "1 s"),
        (f"thread of the sample, median of {rounds - 1} more", f"{percentile(threads[1:], 0.5):.2f} s", "1 s"),
        ("requests to Scalingo, first", str(of_scalingo[0]), ""),
        ("requests to Scalingo, warm", str(max(of_scalingo[1:])), "3"),
        ("requests to Slack, first", str(of_slack[0]), ""),
        ("requests to Slack, warm", str(max(of_slack[1:])), "6"),
        ("memory while idle (PSS)", f"{idle_mb:.0f} MB", "130 MB"),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python bench/thread.py", description=__doc__)
    arguments.add_argument("--commands", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=6)
    given = arguments.parse_args()
    table = Table("what", "measured", "goal")
    for row in asyncio.run(measure(given.commands, given.rounds)):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
