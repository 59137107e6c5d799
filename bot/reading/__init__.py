"""An audit log in, a digest out: pure, in constant memory, fed in pieces. The whole core is on this page.

bytes → records ┬ input  ───────────────→ commands → told
                └ output → (returns →) commands → echo → terminal → scrollback → transcript
What is told, and the transcript, are masked on their way to the sink. A log has one of two shapes: raw chunks, or the pieces of a
line recorder, whose ends `returns` restores until a return in one of them proves that they are chunks.

To read on, in this order:
`records`: JSON in slices; `times`. `sequences`, `terminal`: what was shown, line by line; `screen` where the cursor moves, `repaints`
what need not be drawn, `scrollback` what has left.
`keys`, `prompts`, `commands`: what was typed and where; `firstkey` at which prompt, `waiting` until its line is left, `told` as what.
`entered`, `verdicts`: what a program received of it; `rows` where that stands, `likeness`, `reconciled` where keys and screen disagree.
`echo`: what came of the line that is being typed. What that tells of the window: `measure`, by the signs in `window` and by `walk`,
the way that the cursor goes; `counted` where the colours of a prompt are taken for columns.
`returns`: the returns that a line recorder loses, or has twice (`doubled`), and the height that is `foreseen`; `endings` the rules that tell them, by `pieces`,
`progress` and `heads`.
`transcript`, `secrets` (with all of `masking`, its patterns made `lazily`): what may leave. `export`: in which form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple, Protocol, runtime_checkable

from bot.reading.commands import Commands
from bot.reading.prompts import Prompts
from bot.reading.records import Batch, batches, unzipped
from bot.reading.returns import Returns
from bot.reading.secrets import Masker
from bot.reading.terminal import HEIGHT, WIDTH, Terminal
from bot.reading.times import moment_of, seconds_between
from bot.reading.told import Command
from bot.reading.transcript import Transcript

__all__ = ["Command", "Digest", "Sink", "read"]


class Sink(Protocol):
    """Where a session's content goes, masked, as it is read. One that also has `reached` is told when lines stood there."""

    def text(self, text: bytes) -> None:
        """Transcript, in UTF-8: whole lines, or parts of a very long one."""

    def command(self, command: Command) -> None:
        """The next command."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What is known of a session beside its content. Times as in the log; bytes of `content` in UTF-8."""

    started_at: str | None
    ended_at: str | None
    duration_s: float
    records: int
    output_bytes: int
    input_bytes: int
    command_count: int
    secrets_masked: int
    masked: Mapping[str, int] = field(default_factory=dict)  # by class of secret
    columns: int = WIDTH  # of the window, as far as it can be told
    rows: int = HEIGHT


def read(pieces: Iterable[bytes], sink: Sink, *, marks: bool = False) -> Digest:
    """`pieces`: the log's bytes, however they are cut. `marks`: one line in the transcript stands for what each full-screen
    program drew, `[vim: 42 s, full screen]`. Raises AuditLogBroken, and AuditLogCut where the bytes end before the array is closed."""
    session = _Session(sink, marks=marks)
    for batch in batches(unzipped(pieces)):
        session.feed(batch)
    return session.close()


@runtime_checkable
class TimedSink(Sink, Protocol):
    def reached(self, lines: int, time: str) -> None:
        """At `time`, the transcript had `lines` whole lines."""


# Pieces of output that are read together.
TOGETHER = 512
LONG_PIECE = 16 * 1024  # characters; it is read at once, with what was gathered before it


class Run(NamedTuple):
    """Neighbouring records of one type."""

    type: str
    times: list[str]
    contents: list[str]


def runs(batch: Batch) -> Iterator[Run]:
    types = batch.types
    if types and types.count(types[0]) == len(types):  # as most are
        yield Run(types[0], batch.times, batch.contents)
        return
    start = 0
    while start < len(types):
        kind = types[start]
        other = "input" if kind == "output" else "output"
        try:
            end = types.index(other, start + 1)
        except ValueError:
            end = len(types)
        if types[start:end].count(kind) < end - start:  # another one, which nobody documents
            end = next(at for at in range(start + 1, end) if types[at] != kind)
        yield Run(kind, batch.times[start:end], batch.contents[start:end])
        start = end


class _Session:
    def __init__(self, sink: Sink, *, marks: bool) -> None:
        self._masker = Masker()
        self._transcript = Transcript(sink.text, self._masker)
        self._terminal = (
            Terminal(self._transcript.feed, self._full_screen) if marks else Terminal(self._transcript.feed)
        )
        prompts = Prompts()
        self._count = 0
        self._sink = sink
        self._timed = sink if isinstance(sink, TimedSink) else None
        if self._timed is not None:
            self._terminal.scrollback.handful = 0  # a row's time is when it left
        self._commands = Commands(self._terminal, self._masker, prompts, self._command)
        self._returns: Returns | None = Returns(self._terminal, prompts, self._commands)
        self._gathered = Run("output", [], [])
        self._times: list[str] = []
        self._now = ("", "")  # the times of the first and the last record that are being read
        self._full_screen_since = ""
        self._records = 0
        self._bytes: Counter[str] = Counter()

    def _full_screen(self, begins: bool) -> str:
        """`[vim: 42 s, full screen]`, for what a full-screen program drew."""
        if begins:
            self._full_screen_since = self._now[0]
            return ""
        return f"[{self._commands.started}: {_seconds(self._full_screen_since, self._now[1]):.0f} s, full screen]"

    def _command(self, command: Command) -> None:
        self._count += 1
        self._sink.command(command)

    def feed(self, batch: Batch) -> None:
        self._records += batch.finished
        if batch.times:
            self._times = [(self._times or batch.times)[0], batch.times[-1]]
        for run in runs(batch):
            if run.type == "output":
                self._gather(run)
            elif run.type == "input":
                self._read_gathered(followed=True)
                for time, content in zip(run.times, run.contents, strict=True):
                    self._bytes["input"] += len(content.encode())
                    live = self._returns is None  # in chunks, keys come one by one
                    self._commands.typed(content, time, live=live)

    def _gather(self, run: Run) -> None:
        """What a piece means may depend on those after it: so that it does not depend on where a batch ends, as many are
        read together, whatever batches they came in."""
        long: set[int] = set()
        if max(map(len, run.contents)) > LONG_PIECE:
            for number, content in enumerate(run.contents):
                if len(content) > LONG_PIECE:
                    # Some of a line is read alone.
                    long |= {number + 1} if content[-1] == "\n" else {number, number + 1}
        start = 0
        for end in (*sorted(long), len(run.contents)):
            self._gathered.times.extend(run.times[start:end])
            self._gathered.contents.extend(run.contents[start:end])
            while len(self._gathered.times) > TOGETHER:
                self._read_gathered(followed=False)
            if end in long or self._returns is None:
                self._read_gathered(followed=False)
            start = end

    def _read_gathered(self, *, followed: bool) -> None:
        times, contents = self._gathered.times[:TOGETHER], self._gathered.contents[:TOGETHER]
        if not times:
            return
        del self._gathered.times[:TOGETHER], self._gathered.contents[:TOGETHER]
        self._now = (times[0], times[-1])
        if self._returns is not None and (doubled := self._returns.doubled(contents)):
            self._bytes["output"] += len(doubled)
            times = [time for number, time in enumerate(times) if number not in doubled]
            contents = [piece for number, piece in enumerate(contents) if number not in doubled]
        if self._timed is None:
            self._output(times, contents, followed=followed)
        else:
            self._output_in_time(times, contents, self._timed)

    def _output_in_time(self, times: list[str], contents: list[str], sink: TimedSink) -> None:
        for time, content in zip(times, contents, strict=True):
            if content:
                self._output([time], [content], followed=False)
            sink.reached(self._terminal.lines, time)

    def _output(self, times: list[str], contents: list[str], *, followed: bool) -> None:
        """`followed`: by keys."""
        text = "".join(contents)
        data = text.encode()
        self._bytes["output"] += len(data)
        if self._returns is not None:
            if b"\r" not in data and _are_lines(contents, data):
                self._returns.feed(contents, times, data, followed=followed)
                return
            if len(contents) == 1 and len(data) > LONG_PIECE and b"\r" not in data and b"\n" not in data:
                self._returns.part(text, times[0])
                return
            self._returns.close(log_ends=False)
            self._returns = None
        self._commands.shown(text)

    def close(self) -> Digest:
        self._read_gathered(followed=False)
        if self._returns is not None:
            self._returns.close(log_ends=True)
        self._commands.close()
        self._terminal.close()
        self._transcript.close()
        started, ended = (self._times[0], self._times[-1]) if self._times else (None, None)
        masked = dict(self._masker.counts)
        return Digest(
            started, ended, _seconds(started, ended), self._records, self._bytes["output"], self._bytes["input"],
            self._count, sum(masked.values()), masked, self._terminal.width, self._terminal.height,
        )  # fmt: skip


def _are_lines(pieces: list[str], joined: bytes) -> bool:
    """Each of the pieces has a line's end at its own end and nowhere else."""
    # Asked for each piece of a log: to look into every one takes three times as long.
    if joined.count(b"\n") != len(pieces):
        return False
    try:
        return [*map(itemgetter(-1), pieces)].count("\n") == len(pieces)
    except IndexError:  # an empty one
        return False


def _seconds(started: str | None, ended: str | None) -> float:
    return round(seconds_between(moment_of(started or ""), moment_of(ended or "")), 3)
