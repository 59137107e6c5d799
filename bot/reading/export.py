"""A session in the forms of the contract: JSON, transcript, asciicast v2. Each is written once the whole log has been read, from a
spool, so that a log that turns out to be broken leaves nothing behind and a long one needs no memory.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Protocol

import orjson

from bot.reading import Command, Digest, read
from bot.reading.times import moment_of, seconds_between

PIECE = 64 * 1024
SPOOLED_IN_MEMORY = 256 * 1024


class Writes(Protocol):
    def write(self, data: bytes, /) -> object: ...


def pieces_of(file: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: file.read(PIECE), b"")


def spool() -> SpooledTemporaryFile[bytes]:
    return SpooledTemporaryFile(max_size=SPOOLED_IN_MEMORY)


def command_fields(command: Command) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "time": command.time,
        "text": command.text,
        "program": command.program,
        "masked": command.masked,
    }
    return fields if command.sure else fields | {"sure": False}


def digest_fields(digest: Digest, commands: Any) -> dict[str, Any]:
    return {
        "started_at": digest.started_at,
        "ended_at": digest.ended_at,
        "duration_s": digest.duration_s,
        "records": digest.records,
        "output_bytes": digest.output_bytes,
        "input_bytes": digest.input_bytes,
        "commands": commands,
        "secrets_masked": digest.secrets_masked,
    }


# How text is written where somebody looks at it: with what has no glyph spelled out, for instance.
Spelling = Callable[[str], str]


class _Transcript:
    """A sink that keeps the words."""

    def __init__(self, out: Writes, spelled: Spelling | None = None) -> None:
        self._out = out
        self._spelled = spelled

    def text(self, text: bytes) -> None:
        self._out.write(text if self._spelled is None else self._spelled(text.decode()).encode())

    def command(self, command: Command) -> None:
        pass


class _Commands:
    """A sink that keeps the commands, as the elements of a JSON array."""

    def __init__(self, out: Writes) -> None:
        self._out = out
        self._separator = b"\n    "

    def text(self, text: bytes) -> None:
        pass

    def command(self, command: Command) -> None:
        self._out.write(self._separator + orjson.dumps(command_fields(command)))
        self._separator = b",\n    "


def write_transcript(
    pieces: Iterable[bytes], out: BinaryIO, *, marks: bool = False, spelled: Spelling | None = None
) -> Digest:
    with spool() as words:
        digest = read(pieces, _Transcript(words, spelled), marks=marks)
        words.seek(0)
        shutil.copyfileobj(words, out, PIECE)
    return digest


def write_json(pieces: Iterable[bytes], out: BinaryIO) -> Digest:
    with spool() as commands:
        digest = read(pieces, _Commands(commands))
        fields = orjson.dumps(digest_fields(digest, []), option=orjson.OPT_INDENT_2)
        before, _, after = fields.partition(b'"commands": []')
        out.write(before + b'"commands": [')
        commands.seek(0)
        shutil.copyfileobj(commands, out, PIECE)
        out.write((b"\n  ]" if digest.command_count else b"]") + after + b"\n")
    return digest


class _Cast:
    """A sink that keeps each line with the second at which it stood on the screen: lines are masked whole, so a cast of
    whole lines can hold no secret that the recording cut in two."""

    def __init__(self, out: Writes) -> None:
        self._out = out
        self._reached: deque[tuple[int, float]] = deque()
        self._lines = 0
        self._start: datetime | None = None
        self._now = 0.0

    def text(self, text: bytes) -> None:
        for line in text.decode().splitlines(keepends=True):
            while self._reached and self._reached[0][0] <= self._lines:
                self._reached.popleft()
            second = self._reached[0][1] if self._reached else self._now
            event = [second, "o", line.replace("\n", "\r\n")]
            self._out.write(orjson.dumps(event) + b"\n")
            self._lines += line.endswith("\n")

    def command(self, command: Command) -> None:
        pass

    def reached(self, lines: int, time: str) -> None:
        """At `time`, the transcript had `lines` whole lines."""
        if self._reached and self._reached[-1][0] >= lines:
            return
        moment = moment_of(time)
        if moment is not None:
            self._start = self._start or moment
            self._now = max(self._now, round(seconds_between(self._start, moment), 6))
        self._reached.append((lines, self._now))


def write_cast(pieces: Iterable[bytes], out: BinaryIO) -> Digest:
    """asciicast v2: a header line, then one line for each event."""
    with spool() as events:
        digest = read(pieces, _Cast(events))
        started = moment_of(digest.started_at or "")
        header = {"version": 2, "width": digest.columns, "height": digest.rows}
        with suppress(ValueError, OverflowError):  # the first years and the last ones have none
            header |= {"timestamp": int(started.timestamp())} if started else {}
        out.write(orjson.dumps(header) + b"\n")
        events.seek(0)
        shutil.copyfileobj(events, out, PIECE)
    return digest


class _Both:
    """A sink that keeps the words in a file and the first commands at hand."""

    def __init__(self, words: Writes, limit: int, spelled: Spelling) -> None:
        self._words = _Transcript(words, spelled)
        self._limit = limit
        self.commands: list[dict[str, Any]] = []
        self.text = self._words.text

    def command(self, command: Command) -> None:
        if len(self.commands) < self._limit:
            self.commands.append(command_fields(command))


def digest_to(log_path: Path, transcript_path: Path, commands_limit: int, spelled: Spelling) -> dict[str, Any]:
    """Read a log into a transcript file, with marks; gives the contract's JSON with at most `commands_limit` commands,
    and `command_count` and `masked` (by class) beside it. Raises AuditLogBroken; the transcript is then worth nothing."""
    with log_path.open("rb") as log, transcript_path.open("wb") as words:
        sink = _Both(words, commands_limit, spelled)
        digest = read(pieces_of(log), sink, marks=True)
    return digest_fields(digest, sink.commands) | {
        "command_count": digest.command_count,
        "masked": dict(digest.masked),
    }
