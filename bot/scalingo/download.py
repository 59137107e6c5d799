"""An audit log on its way from the network into a file: gunzipped, bounded, and known to be whole."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from bot.errors import AuditLogBroken, AuditLogCut, AuditLogTooLarge, DiskFull, Unreachable

# Nine times the largest size that Scalingo's documentation shows (122 MB).
MOST_BYTES = 1 << 30
# A small piece of gzip may unfold to a thousand times its size: it is unfolded in steps of this.
STEP_BYTES = 256 * 1024

_SPACE = b" \t\r\n"
_GZIP = b"\x1f\x8b"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Gunzip:
    """Passes bytes on as they are, unless they begin with gzip's magic: then unfolded, member after member."""

    def __init__(self) -> None:
        self._start: bytes | None = b""
        self._inflate: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Raises zlib.error where the data is damaged."""
        if self._start is not None:
            piece = self._start + piece
            if len(piece) < len(_GZIP):
                self._start = piece
                return
            self._start = None
            self._inflate = zlib.decompressobj(wbits=31) if piece.startswith(_GZIP) else None
        if self._inflate is None:
            yield piece
            return
        yield from self._unfold(piece, self._inflate)

    def _unfold(self, piece: bytes, inflate: zlib._Decompress) -> Iterator[bytes]:
        while True:
            if inflate.eof:
                # Some writers pad the end of a member with zeros.
                piece = piece.lstrip(b"\0")
                if not piece:
                    return
                self._inflate = inflate = zlib.decompressobj(wbits=31)
            unfolded = inflate.decompress(piece, STEP_BYTES)
            yield unfolded
            piece = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            # A full step may have more behind it, although all input is taken in.
            if not piece and len(unfolded) < STEP_BYTES:
                return

    def finish(self) -> Iterator[bytes]:
        """What was held back. Raises zlib.error where the last member has no end."""
        if self._start:
            yield self._start
        if self._inflate is not None and not self._inflate.eof:
            msg = "the data ends before its time"
            raise zlib.error(msg)


class ArrayWatch:
    """Whether a JSON array was closed, without parsing it: the last byte is a `]` that stands in no string."""

    def __init__(self) -> None:
        self.first = b""
        self._last = b""
        self._in_string = False
        self._carried = b""

    def feed(self, piece: bytes) -> None:
        if not self.first:
            self.first = piece.lstrip(_SPACE)[:1]
        self._last = piece.rstrip(_SPACE)[-1:] or self._last
        # A run of backslashes may be cut in two: of an odd one, the last waits for the next piece.
        piece = self._carried + piece
        unescaped = piece.rstrip(b"\\")
        self._carried = b"\\" * ((len(piece) - len(unescaped)) % 2)
        piece = unescaped
        self._in_string ^= piece.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"') % 2 == 1

    @property
    def closed(self) -> bool:
        return self._last == b"]" and not self._in_string


class LogFile:
    """The file that takes one try at a download. Every method blocks: call it from a thread.

    A path that leads to an open file is truncated, not replaced; the file is readable by us alone.
    """

    def __init__(self, path: Path, about: str) -> None:
        self._path = path
        self._about = about
        self._outer, self._inner = Gunzip(), Gunzip()
        self._watch = ArrayWatch()
        self._file: BinaryIO | None = None
        self.written = 0

    def __enter__(self) -> Self:
        with self._explained():
            self._file = open(self._path, "wb", opener=_private)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # What could not be flushed was told already, or the try has failed for another reason.
        with contextlib.suppress(OSError):
            self._open_file.close()

    def feed(self, piece: bytes) -> None:
        """Raises AuditLogBroken, AuditLogTooLarge, AuditLogCut (damaged gzip), DiskFull, Unreachable (a proxy's page)."""
        with self._explained():
            for plain in self._unpacked(self._outer.feed(piece)):
                self._write(plain)

    def finish(self) -> int:
        """The bytes written. Raises AuditLogCut where the array was not closed, and what `feed` raises."""
        with self._explained():
            for plain in itertools.chain(self._unpacked(self._outer.finish()), self._inner.finish()):
                self._write(plain)
            self._open_file.flush()
        if not self._watch.closed:
            raise AuditLogCut(
                f"The download of {self._about} stopped after {self.written} bytes, before its array was closed."
            )
        return self.written

    def _unpacked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """A log that is kept packed may be packed once more for its way."""
        for piece in pieces:
            yield from self._inner.feed(piece)

    @property
    def _open_file(self) -> BinaryIO:
        if self._file is None:
            msg = "LogFile is used outside of its `with`"
            raise RuntimeError(msg)
        return self._file

    def _write(self, plain: bytes) -> None:
        self.written += len(plain)
        if self.written > MOST_BYTES:
            raise AuditLogTooLarge(
                f"{MOST_BYTES >> 30} GiB is the most that is read here, and {self._about} is larger."
            )
        self._watch.feed(plain)
        if self._watch.first == b"<":
            raise Unreachable(f"Scalingo answered with a web page in place of {self._about}: try again in a moment.")
        if self._watch.first not in {b"", b"["}:
            raise AuditLogBroken(f"What Scalingo gave for {self._about} is no audit log: it begins with no `[`.")
        self._open_file.write(plain)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except zlib.error:
            raise AuditLogCut(f"The download of {self._about} is damaged: its gzip does not add up.") from None
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise DiskFull(
                f"There is no room on the disk for {self._about}: free some, or set TMPDIR to a larger one.",
                retry_after_s=60,
            ) from error


def _private(path: str, flags: int) -> int:
    file = os.open(path, flags, 0o600)
    # One that was there before keeps its mode otherwise; a device is not ours to change.
    if stat.S_ISREG(os.fstat(file).st_mode):
        os.fchmod(file, 0o600)
    return file
