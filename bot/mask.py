"""`python -m bot mask`: text lines on standard input, the same lines with their secrets masked on standard output."""

import io
from typing import BinaryIO, Final, cast

from bot.reading.secrets import Masker

_BLOCK_BYTES: Final = 1 << 16


def run(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Mask `stdin` into `stdout`, line for line, as the lines come. Bytes that are no UTF-8 pass through unchanged."""
    masker = Masker()
    source = cast(io.BufferedReader, stdin)  # whose read1 gives what is there, in place of waiting for a whole block
    rest: list[bytes] = []
    while block := source.read1(_BLOCK_BYTES):
        whole, feed, begun = block.rpartition(b"\n")
        if feed:
            stdout.write(_masked(masker, b"".join((*rest, whole, feed))))
            stdout.flush()
            rest = []
        rest.append(begun)
    if last := b"".join(rest):
        stdout.write(_masked(masker, last + b"\n")[:-1])
        stdout.flush()


def _masked(masker: Masker, lines: bytes) -> bytes:
    return masker.feed(lines.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
