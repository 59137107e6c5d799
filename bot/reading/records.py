"""JSON bytes in, batches of records out: constant memory, whatever the layout and however the bytes are cut.

A log is an array of `{"time": RFC 3339, "content": string, "type": "output" | "input"}`. It is cut where one record
ends and the next begins: `}`, a comma, `{"` and a letter cannot follow each other inside a JSON string, for there the
quote would be escaped. What lies between two such places is parsed at once.

Raises AuditLogBroken (which record, which byte) and AuditLogCut (the bytes end before the array does).
"""

from __future__ import annotations

import json
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import orjson

from bot.errors import AuditLogBroken, AuditLogCut

# Blanks are bounded so that a hostile log cannot make the search quadratic.
BETWEEN_RECORDS = re.compile(rb"\}\s{0,64},\s{0,64}\{\s{0,64}\"(?:time|type|content)\"")
# Where no record begins with a name that we know; within a record such a place may part what a field of it lists.
BETWEEN_OBJECTS = re.compile(rb"\}\s{0,64},\s{0,64}\{\s{0,64}\"[A-Za-z]")
MOST_SEAMS = 8  # that are tried
LONGEST_SEAM = 3 * 64 + 13
SLICE = 64 * 1024
# A record longer than this is handed on in pieces: its text is never held decoded.
LONG_RECORD = 1024 * 1024
GZIP = b"\x1f\x8b"
BLANK = b" \t\r\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

CONTENT = re.compile(rb'"content"\s{0,64}:\s{0,64}"')
STRING_REST = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL)
STRING_PIECE = re.compile(rb"(?:[^\"\\]|\\u[0-9a-fA-F]{4}|\\[^u]){1,65536}+", re.DOTALL)
HIGH_SURROGATE_END = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
SURROGATES = re.compile("[\ud800-\udfff]")


class Batch(NamedTuple):
    """Some records in a row, as three lists of one length."""

    times: list[str]
    types: list[str]
    contents: list[str]
    # How many records end in here: a long one comes in several batches and counts once.
    finished: int


def unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, decompressed if they are gzip'd. A cut gzip stream gives what there is of it."""
    rest = iter(pieces)
    begun = b""
    for piece in rest:
        begun += piece
        if len(begun) >= len(GZIP):
            break
    if not begun.startswith(GZIP):
        yield begun
        yield from rest
        return
    unzip = zlib.decompressobj(wbits=31)
    for piece in chain((begun,), rest):
        packed = piece
        while packed:
            try:
                yield unzip.decompress(packed, SLICE)
            except zlib.error as error:
                raise AuditLogBroken(f"The audit log's compression is broken: {error}.") from error
            packed = unzip.unconsumed_tail
            if unzip.eof:
                packed, unzip = unzip.unused_data, zlib.decompressobj(wbits=31)


def batches(pieces: Iterable[bytes]) -> Iterator[Batch]:
    reader = _Reader()
    for piece in pieces:
        for start in range(0, len(piece), SLICE):
            yield from reader.feed(piece[start : start + SLICE] if len(piece) > SLICE else piece)
    yield from reader.close()


class _Reader:
    def __init__(self) -> None:
        self._held = bytearray()
        self._opened = False
        self._offset = 0  # of the first held byte, in the log
        self._records = 0
        self._searched = 0  # no seam begins in the held bytes before here

    def feed(self, piece: bytes) -> Iterator[Batch]:
        self._held += piece
        if not self._opened and not self._open():
            return
        if len(self._held) < SLICE:
            return
        fault: AuditLogBroken | None = None
        for end, following in self._last_seams():
            try:
                yield from self._parsed(end)
            except AuditLogBroken as error:
                if end > LONG_RECORD:
                    raise
                fault = fault or error  # it may have been within a record
                continue
            self._drop(following)
            return
        if fault is not None:
            raise fault
        self._searched = max(0, len(self._held) - LONGEST_SEAM)

    def close(self) -> Iterator[Batch]:
        if not self._opened and not self._open(at_end=True):
            raise AuditLogCut(f"The audit log stops at byte {self._offset}, before its array begins: fetch it again.")
        tail = self._held.rstrip(BLANK)
        if not tail.endswith(b"]"):
            raise self._fault(len(tail), at_end=True)
        self._held = tail
        if tail[:-1].strip(BLANK) or self._records:
            yield from self._parsed(len(tail) - 1, last=True)

    def _open(self, *, at_end: bool = False) -> bool:
        head = bytes(self._held[: len(BYTE_ORDER_MARK)])
        if self._offset == 0 and BYTE_ORDER_MARK.startswith(head) and not at_end:
            if head != BYTE_ORDER_MARK:
                return False
            self._drop(len(head))
        self._drop(len(self._held) - len(self._held.lstrip(BLANK)))
        if not self._held:
            return False
        if not self._held.startswith(b"["):
            raise AuditLogBroken(f"This is no audit log: byte {self._offset} should open a JSON array with «[».")
        self._drop(1)
        self._opened = True
        return True

    def _drop(self, count: int) -> None:
        del self._held[:count]
        self._offset += count
        self._searched = 0

    def _last_seams(self) -> Iterator[tuple[int, int]]:
        """Where the last whole record ends and where the next one begins; then, where that turns out to be within a
        record, the places before."""
        for seam in (BETWEEN_RECORDS, BETWEEN_OBJECTS):
            for start in dict.fromkeys((max(self._searched, len(self._held) - 4096), self._searched)):
                for found in reversed(deque(seam.finditer(self._held, start), maxlen=MOST_SEAMS)):
                    end = found.start() + 1
                    yield end, self._held.index(b"{", end)

    def _seam_after(self, start: int, end: int) -> re.Match[bytes] | None:
        return BETWEEN_RECORDS.search(self._held, start, end) or BETWEEN_OBJECTS.search(self._held, start, end)

    def _parsed(self, end: int, *, last: bool = False) -> Iterator[Batch]:
        if end > LONG_RECORD:
            yield from self._parsed_in_pieces(end, last=last)
        else:
            yield self._batch(b"".join((b"[", memoryview(self._held)[:end], b"]")), 1, last=last)

    def _batch(self, array: bytes, shift: int, *, last: bool = False) -> Batch:
        """`shift` is how many bytes of `array` are not the log's."""
        lone_surrogates = False
        try:
            records = orjson.loads(array)
        except orjson.JSONDecodeError:
            # orjson refuses lone surrogates, which a recorder of raw bytes may well write.
            lone_surrogates = True
            try:
                records = json.loads(array)
            except (ValueError, RecursionError) as error:
                raise self._fault(len(array) - 1 - shift, at_end=last) from error
        try:
            batch = Batch(
                [record["time"] for record in records],
                [record["type"] for record in records],
                [record["content"] for record in records],
                len(records),
            )
            "".join(batch.times)
            "".join(batch.types)
            "".join(batch.contents)
        except (TypeError, KeyError) as error:
            raise self._misshapen(records) from error
        if lone_surrogates:
            batch = batch._replace(
                times=[SURROGATES.sub("\ufffd", time) for time in batch.times],
                contents=[SURROGATES.sub("\ufffd", content) for content in batch.contents],
            )
        self._records += batch.finished
        return batch

    def _parsed_in_pieces(self, end: int, *, last: bool) -> Iterator[Batch]:
        """Records of which one at least is long: the short ones at once, a long one in pieces."""
        start = 0
        while start < end:
            found = CONTENT.search(self._held, start, end)
            closing = STRING_REST.match(self._held, found.end(), end) if found else None
            if found is None or closing is None:
                raise self._fault(end, at_end=last)
            seam = self._seam_after(closing.end(), end)
            stop = seam.start() + 1 if seam else end
            frame = bytes(self._held[start : found.end()]) + bytes(self._held[closing.end() - 1 : stop])
            head = self._batch(b"[" + frame + b"]", 1, last=last)
            content = ""
            for following in self._contents(found.end(), closing.end() - 1):
                if content:
                    yield Batch(head.times[:1], head.types[:1], [content], 0)
                content = following
            yield head._replace(contents=[content, *head.contents[1:]])
            start = self._held.index(b"{", stop) if seam else end

    def _contents(self, start: int, end: int) -> Iterator[str]:
        while start < end:
            piece = STRING_PIECE.match(self._held, start, end)
            if piece is None:
                raise self._fault(end, at_end=False)
            stop = piece.end()
            while stop < end and self._held[stop] & 0xC0 == 0x80:
                stop += 1
            if stop < end and HIGH_SURROGATE_END.search(self._held, max(start, stop - 6), stop):
                stop = min(end, stop + 6)
            quoted = b'"' + bytes(self._held[start:stop]) + b'"'
            try:
                content = json.loads(quoted)
            except ValueError as error:
                raise self._fault(stop, at_end=False) from error
            yield SURROGATES.sub("\ufffd", content)
            start = stop

    def _misshapen(self, records: list[Any]) -> AuditLogBroken:
        for number, record in enumerate(records, self._records + 1):
            if not isinstance(record, dict) or not all(
                isinstance(record.get(key), str) for key in ("time", "type", "content")
            ):
                return AuditLogBroken(
                    f"Record {number} of the audit log (after byte {self._offset}) has not the strings time, type, content."
                )
        return AuditLogBroken(f"The audit log is broken after record {self._records}, byte {self._offset}.")

    def _fault(self, end: int, *, at_end: bool) -> AuditLogBroken:
        """Says which record of the held bytes, up to `end`, is no JSON, and where; only called once that is known."""
        text = bytes(self._held[:end]).decode("utf-8", "surrogateescape")
        number, decoder = self._records, json.JSONDecoder()
        position, stop = len(text) - len(text.lstrip()), len(text.rstrip())
        seam = re.compile(r"\s*,\s*|\s*")
        try:
            while position < stop:
                _, position = decoder.raw_decode(text, position)
                number += 1
                joint = seam.match(text, position)
                if joint is None or not joint.group().strip():
                    break
                position = joint.end()
            message = "the next record or the end of the array is missing"
        except (json.JSONDecodeError, RecursionError) as error:
            message = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
            position = error.pos if isinstance(error, json.JSONDecodeError) else position
            number += 1
        byte = self._offset + len(text[:position].encode("utf-8", "surrogateescape"))
        left = stop - position
        # An escape has six characters at most: one that is cut is no fault of the log.
        cut = left <= 0 or message.startswith("Unterminated string") or (left <= 6 and "escape" in message)
        if at_end and cut:
            return AuditLogCut(
                f"The audit log stops in record {number}, at byte {self._offset + end}, before its array is closed: fetch it again."
            )
        return AuditLogBroken(f"The audit log is broken in record {number}, at byte {byte}: {message}.")
