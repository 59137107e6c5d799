"""`python -m tests.soak [names]`: whatever can go wrong, against the bot as real processes; a line for each, with PASS or FAIL.

`--list` names them; `--log FILE` is where make_log.py's output of 122 MB lies, for `huge`. Status 1 where any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import sys
import tempfile
import time
from pathlib import Path

from . import arrivals, kills, loads, outages, stores
from .scenario import SCENARIOS, Scenario, Setting

__all__ = ["arrivals", "kills", "loads", "outages", "stores"]


async def run(scenario: Scenario, log: Path | None) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        try:
            async with asyncio.timeout(scenario.within_s):
                said = await scenario.play(Setting(Path(folder), log))
            passed = True
        except Exception as error:
            said, passed = f"{type(error).__name__}: {error}", False
            print(told(Path(folder)), file=sys.stderr)
    print(f"{'PASS' if passed else 'FAIL'}  {scenario.name:<34} {time.monotonic() - began:6.1f} s  {said}", flush=True)
    return passed


def told(folder: Path) -> str:
    """The end of what the bot logged."""
    return "\n".join(log.read_text()[-3000:] for log in sorted(folder.rglob("bot.log"))[-1:])


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    arguments.add_argument("names", nargs="*", default=["*"], help="which, as globs")
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--log", type=Path)
    given = arguments.parse_args()
    chosen = [each for each in SCENARIOS if any(fnmatch.fnmatchcase(each.name, name) for name in given.names)]
    if given.list:
        print("\n".join(each.name for each in chosen))
        return 0
    passed = [asyncio.run(run(each, given.log)) for each in chosen]
    print(f"{sum(passed)} of {len(passed)} passed")
    return 0 if all(passed) else 1


sys.exit(main())
