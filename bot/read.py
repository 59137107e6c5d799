"""`python -m bot read`: an audit log from a file, for a person or for a program."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from bot.errors import BadInput
from bot.literal import legible, visible
from bot.reading import Command, Digest, read
from bot.reading.export import PIECE, pieces_of, spool, write_cast, write_json, write_transcript

# Reading takes about a second for every 30 MB: a smaller file needs no progress bar.
LARGE = 16 * 1024 * 1024


def run(path: str, *, json: bool, transcript: bool, cast: bool, marks: bool) -> None:
    out = sys.stdout.buffer
    with _opened(path) as file:
        pieces = _watched(file)
        if json:
            write_json(pieces, out)
        elif transcript:
            # In a pipe it is what the terminal showed; on a terminal it must not act.
            write_transcript(pieces, out, marks=marks, spelled=legible if sys.stdout.isatty() else None)
        elif cast:
            write_cast(pieces, out)
        else:
            _write_summary(pieces, out)
    out.flush()


def _opened(path: str) -> nullcontext[BinaryIO] | BinaryIO:
    if path == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror or error}.") from error


def _watched(file: BinaryIO) -> Iterator[bytes]:
    """The file's bytes; a person who waits for a large one sees how far it is."""
    size = Path(file.name).stat().st_size if isinstance(file.name, str) and Path(file.name).is_file() else 0
    try:
        if size < LARGE or not sys.stderr.isatty():
            yield from pieces_of(file)
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Reading", total=size)
            for piece in pieces_of(file):
                yield piece
                progress.advance(task, len(piece))
    except OSError as error:
        raise BadInput(f"{file.name} can't be read: {error.strerror or error}.") from error


class _Summary:
    """A sink that counts what the summary tells, and spools the commands as lines."""

    def __init__(self) -> None:
        self.commands = spool()
        self.programs: Counter[str] = Counter()
        self.masked = 0
        self.unsure = 0

    def text(self, text: bytes) -> None:
        pass

    def command(self, command: Command) -> None:
        self.programs[command.program] += not command.masked
        self.masked += command.masked
        self.unsure += not command.sure
        mark = "" if command.sure else "   (not certain)"
        text = ("\n" + " " * 25).join(map(visible, command.text.split("\n")))
        self.commands.write(
            f"  {_clock(command.time)}  {visible(command.program):<9}  {text}{mark}\n".encode("utf-8", "replace")
        )


def _write_summary(pieces: Iterator[bytes], out: BinaryIO) -> None:
    summary = _Summary()
    with summary.commands as commands:
        digest = read(pieces, summary)
        out.write("\n".join(_heading(digest, summary)).encode("utf-8", "replace") + b"\n")
        commands.seek(0)
        shutil.copyfileobj(commands, out, PIECE)


def _heading(digest: Digest, summary: _Summary) -> Iterator[str]:
    if not digest.records:
        yield "An empty audit log: nothing was recorded."
        return
    began, ended = visible(str(digest.started_at)), visible(str(digest.ended_at))
    yield f"Session   {began} to {ended}, {_duration(digest.duration_s)}"
    yield f"Records   {digest.records:,} ({digest.output_bytes:,} bytes shown, {digest.input_bytes:,} bytes typed)"
    if digest.secrets_masked:
        classes = ", ".join(f"{name}: {count:,}" for name, count in sorted(digest.masked.items()))
        yield f"Masked    {digest.secrets_masked:,} ({classes})"
    if not digest.command_count:
        yield "Commands  none"
        return
    programs = ", ".join(f"{name}: {count:,}" for name, count in summary.programs.most_common() if count)
    blind = f"{summary.masked:,} typed blind" if summary.masked else ""
    yield f"Commands  {digest.command_count:,} ({', '.join(filter(None, (programs, blind)))})"
    yield ""


def _clock(time: str) -> str:
    _, _, clock = time.partition("T")
    return clock[:8] if clock[:8].replace(":", "").isdigit() else "--:--:--"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min {rest:.0f} s"
    return f"{minutes} min {rest:.0f} s" if minutes else f"{rest:.3g} s"
