"""An audit log on its way into a file: whatever its pieces, packed or not, whole or not."""

from __future__ import annotations

import errno
import gzip
import itertools
import json
import stat
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import AuditLogBroken, AuditLogCut, AuditLogTooLarge, DiskFull, Unreachable
from bot.scalingo import download
from bot.scalingo.download import ArrayWatch, Gunzip, LogFile

LOG = (
    b'[{"time": "t", "content": "a \\"]\\" \\\\", "type": "output"}, {"time": "t", "content": "]", "type": "input"}]\n'
)


def pieces_of(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    at = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(at)]


def taken_in(path: Path, *pieces: bytes) -> bytes:
    with LogFile(path, "the audit log x of shop") as file:
        for piece in pieces:
            file.feed(piece)
        assert file.finish() == path.stat().st_size
    return path.read_bytes()


@given(st.lists(st.integers(0, 1000)), st.integers(0, 3), st.binary(max_size=400))
def test_any_cut_unpacks_the_same(cuts: list[int], layers: int, data: bytes) -> None:
    data = b"[" + data.replace(b"\x1f\x8b", b"")
    packed = data
    for _ in range(min(layers, 1)):
        packed = gzip.compress(packed)
    if layers == 2:
        # Members one after the other, padded as some writers do.
        packed = gzip.compress(data[:5]) + gzip.compress(data[5:]) + b"\0" * 7
    gunzip, unpacked = Gunzip(), bytearray()
    for piece in pieces_of(packed, cuts):
        for plain in gunzip.feed(piece):
            unpacked += plain
    for plain in gunzip.finish():
        unpacked += plain
    assert bytes(unpacked) == data


@given(
    st.lists(st.dictionaries(st.sampled_from(["time", "content"]), st.text('ab"\\]}{[,\n', max_size=12))),
    st.lists(st.integers(0, 1000)),
    st.booleans(),
)
def test_an_array_is_closed_at_its_end_and_nowhere_else(
    records: list[dict[str, str]], cuts: list[int], spaced: bool
) -> None:
    whole = json.dumps(records, indent=2 if spaced else None).encode()
    for end in range(len(whole) + 1):
        watch = ArrayWatch()
        for piece in pieces_of(whole[:end], cuts):
            watch.feed(piece)
        assert watch.closed == (end == len(whole))


def test_the_bytes_are_those_that_were_sent(tmp_path: Path) -> None:
    assert taken_in(tmp_path / "log", LOG) == LOG


def test_an_empty_array_is_whole(tmp_path: Path) -> None:
    assert taken_in(tmp_path / "log", b" \n", b"[", b" ]") == b" \n[ ]"


@pytest.mark.parametrize("pack", [gzip.compress, lambda log: gzip.compress(gzip.compress(log))], ids=["once", "twice"])
def test_what_is_packed_is_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(LOG)
    assert taken_in(tmp_path / "log", packed[:1], packed[1:]) == LOG


def test_a_small_piece_that_unfolds_to_much_is_written_in_steps(tmp_path: Path) -> None:
    log = b"[" + b" " * (3 * download.STEP_BYTES) + b"]"
    gunzip = Gunzip()
    steps = [len(step) for step in gunzip.feed(gzip.compress(log))]
    assert max(steps) == download.STEP_BYTES
    assert sum(steps) == len(log)
    assert taken_in(tmp_path / "log", gzip.compress(log)) == log


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 1000)
    path.chmod(0o644)
    taken_in(path, LOG)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == LOG


@pytest.mark.parametrize("log", [b"", b"  ", b"[", LOG[:-3], LOG[:30], LOG[: LOG.index(b"]") + 1]])
def test_what_stops_before_the_array_is_closed_was_cut(tmp_path: Path, log: bytes) -> None:
    with pytest.raises(AuditLogCut, match="before its array was closed"):
        taken_in(tmp_path / "log", log)


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(LOG)[:-12], gzip.compress(LOG)[:30] + b"xxxx" + gzip.compress(LOG)[34:]],
    ids=["cut", "damaged"],
)
def test_gzip_that_is_damaged_was_cut(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(AuditLogCut, match="gzip"):
        taken_in(tmp_path / "log", packed)


@pytest.mark.parametrize("body", [b'{"audit_log": []}', b"null", b'"["', b"\x89PNG", zlib.compress(LOG)])
def test_what_begins_with_no_bracket_is_no_audit_log(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(AuditLogBroken, match=r"no audit log"):
        taken_in(tmp_path / "log", body)


def test_a_web_page_is_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="web page"):
        taken_in(tmp_path / "log", b"<html>")


def test_there_is_a_largest_size(tmp_path: Path) -> None:
    bomb = gzip.compress(b"[" + b" " * (1 << 20))
    with LogFile(tmp_path / "log", "the audit log x of shop") as file:
        file.written = download.MOST_BYTES - 1000
        with pytest.raises(AuditLogTooLarge, match="1 GiB is the most"):
            file.feed(bomb)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    full = tmp_path / "log"
    full.symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="no room on the disk"):
        taken_in(full, b"[", b" " * 10_000_000, b"]")


def test_another_fault_of_the_disk_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as fault:
        taken_in(tmp_path / "missing" / "log", LOG)
    assert fault.value.errno == errno.ENOENT


def test_a_log_file_is_used_in_a_with(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        LogFile(tmp_path / "log", "x").feed(LOG)
