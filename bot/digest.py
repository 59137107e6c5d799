"""Reads an audit log in a process of its own, so that the event loop and its memory stay free."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from bot.digester import BROKEN, CUT
from bot.errors import AuditLogBroken, AuditLogCut, Retryable
from bot.scratch import Scratch

# Each reader stays below 48 MB, so with these the bot fits a container of 256 MB.
SMALL_AT_ONCE = 2
LARGE_AT_ONCE = 1
# A log above this goes a lane of its own, so that a huge session holds up no small one.
LARGE_BYTES = 8 * 1024 * 1024
# 122 MB take a few seconds; this is for a machine that does much else.
TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Command:
    """`time` as it is in the log; `text` is masked."""

    time: str
    text: str
    program: str
    masked: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class Digest:
    """`commands` are the first `COMMANDS_LIMIT` of `command_count`; `masked` counts by class what was masked."""

    started_at: str | None
    ended_at: str | None
    duration_s: float
    records: int
    command_count: int
    commands: tuple[Command, ...]
    secrets_masked: int
    masked: Mapping[str, int]

    @property
    def last_output_at(self) -> datetime | None:
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(self.ended_at) if self.ended_at else None
        return None


class Reader:
    def __init__(self) -> None:
        self._small = asyncio.Semaphore(SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def read(self, log: Scratch, transcript: Scratch) -> Digest:
        """Writes the transcript into its file. Raises AuditLogBroken, AuditLogCut, or Retryable where the reader died."""
        async with self._large if log.size > LARGE_BYTES else self._small:
            output, errors, status = await _child(log, transcript)
        sentence = errors.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
        if status == CUT:
            raise AuditLogCut(sentence[0])
        if status == BROKEN:
            raise AuditLogBroken(sentence[0])
        if status:
            raise Retryable(f"The process that read the audit log ended with status {status}.")
        return _digest(orjson.loads(output))


async def _child(log: Scratch, transcript: Scratch) -> tuple[bytes, bytes, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.digester",
        str(log.path),
        str(transcript.path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(log.fd, transcript.fd),
        # The child reads what others recorded: it needs none of our secrets.
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        cwd=Path(__file__).parents[1],
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        raise Retryable(f"The audit log could not be read within {TIMEOUT_S:.0f} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output, errors, process.returncode or 0


_PASSED_ON = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
)


def _digest(values: Mapping[str, Any]) -> Digest:
    return Digest(
        started_at=values["started_at"],
        ended_at=values["ended_at"],
        duration_s=values["duration_s"],
        records=values["records"],
        command_count=values["command_count"],
        commands=tuple(
            Command(each["time"], each["text"], each["program"], each["masked"], each.get("sure", True))
            for each in values["commands"]
        ),
        secrets_masked=values["secrets_masked"],
        masked=values["masked"],
    )
