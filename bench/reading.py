"""Speed and memory of the reader: `python bench/reading.py [MAKE_LOG] [--size BYTES] [--profile NAME …]`.

For each profile, CPU seconds of the whole process (user and system, the median of three runs) as a ratio to the ten lines that anybody would write
(json.load, one pattern, join), both in this run, and the peak memory. pyte reads a small slice, scaled up. At last, how late a ticker
of 10 ms is in an event loop while a child reads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

GOALS = {
    "mixed": 1.25,
    "plain": 1.1,
    "table": 1.1,
    "fullscreen": 1.1,
    "colour": 1.4,
    "progress": 1.6,
    "progress-raw": 2.0,
}
MEMORY_GOALS_MB = {"adv-longline": 96.0}
MEMORY_GOAL_MB = 48.0
DOCUMENTED_SIZE = 122_445_385
PYTE_SLICE = 1_000_000
RUNS = 3
NAIVE = r"""
import json, re, sys
escapes = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
with open(sys.argv[1], encoding="utf-8") as file:
    records = json.load(file)
shown = "".join(record["content"] for record in records if record["type"] == "output")
sys.stdout.write(escapes.sub("", shown))
"""
PYTE = r"""
import json, sys
import pyte
screen = pyte.HistoryScreen(80, 24, history=100000)
stream = pyte.Stream(screen)
with open(sys.argv[1], encoding="utf-8") as file:
    for record in json.load(file):
        if record["type"] == "output":
            stream.feed(record["content"].replace("\n", "\r\n"))
"""


class Cost(NamedTuple):
    cpu_s: float
    peak_mb: float


# As installed, where Python has compiled what it imports once: some environments forbid it to keep that.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "bench-reading-bytecode")


def cost(*command: str) -> Cost:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with status {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: int, *command: str) -> Cost:
    return sorted(cost(*command) for _ in range(runs))[runs // 2]


def reader(log: Path) -> list[str]:
    return [sys.executable, "-m", "bot", "read", str(log), "--transcript"]


def made(make_log: Path, folder: Path, profile: str, size: int) -> Path:
    log = folder / f"{profile}-{size}.json"
    subprocess.run([sys.executable, make_log, "--profile", profile, "--size", str(size), "-o", log], check=True)
    return log


def pyte_ratio(log: Path, naive: Cost) -> float:
    """pyte's CPU for as many bytes, from the first records of the log."""
    with log.open(encoding="utf-8") as file:
        head = file.read(PYTE_SLICE)
    records = json.JSONDecoder().decode(head[: head.rindex("},{")] + "}]")
    piece = log.with_suffix(".slice")
    piece.write_text(json.dumps(records), encoding="utf-8")
    return cost(sys.executable, "-c", PYTE, str(piece)).cpu_s * log.stat().st_size / PYTE_SLICE / naive.cpu_s


async def lateness(command: list[str]) -> list[float]:
    """How many ms late each tick of 10 ms is, while `command` runs beside."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    ended = asyncio.ensure_future(process.wait())
    late: list[float] = []
    while not ended.done():
        due = time.perf_counter() + 0.010
        await asyncio.sleep(0.010)
        late.append((time.perf_counter() - due) * 1000)
    return sorted(late)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("make_log", nargs="?", default="../shared/bench/make_log.py", type=Path)
    parser.add_argument("--size", type=int, default=DOCUMENTED_SIZE)
    parser.add_argument("--profile", action="append", choices=[*GOALS, *MEMORY_GOALS_MB])
    options = parser.parse_args()
    print(f"{'profile':<14} {'naive':>8} {'read':>8} {'ratio':>7} {'goal':>6} {'pyte':>7} {'memory':>9} {'goal':>7}")
    with tempfile.TemporaryDirectory() as folder:
        log = None
        for profile in options.profile or [*GOALS, *MEMORY_GOALS_MB]:
            log = made(options.make_log, Path(folder), profile, options.size)
            naive, ours = median(RUNS, sys.executable, "-c", NAIVE, str(log)), median(RUNS, *reader(log))
            goal = f"{GOALS[profile]:>6.2f}" if profile in GOALS else f"{'-':>6}"
            pyte = f"{pyte_ratio(log, naive):>7.0f}" if profile in GOALS else f"{'-':>7}"
            memory_goal = MEMORY_GOALS_MB.get(profile, MEMORY_GOAL_MB)
            print(
                f"{profile:<14} {naive.cpu_s:>6.2f} s {ours.cpu_s:>6.2f} s {ours.cpu_s / naive.cpu_s:>7.2f} {goal} {pyte}"
                f" {ours.peak_mb:>6.1f} MB {memory_goal:>4.0f} MB",
                flush=True,
            )
            if profile == "mixed":
                late = asyncio.run(lateness(reader(log)))
                print(
                    f"  ticker of 10 ms meanwhile: p99 {late[len(late) * 99 // 100]:.1f} ms late, max {late[-1]:.1f} ms"
                )
            log.unlink()


if __name__ == "__main__":
    main()
