"""`python -m bot mask`: a filter, line by line."""

import io
import subprocess
import sys
from pathlib import Path

from bot import mask


def masked(data: bytes) -> bytes:
    out = io.BytesIO()
    mask.run(io.BytesIO(data), out)
    return out.getvalue()


def test_each_line_comes_out_once_and_in_order() -> None:
    data = b"".join(b"line %d\n" % number for number in range(20_000)) + b"DB_PASSWORD=plume-48-nuage\nlast"
    assert masked(data) == data.replace(b"plume-48-nuage", "••••••".encode())


def test_the_last_line_needs_no_end() -> None:
    assert masked(b"password=plume48nuage") == "password=••••••".encode()
    assert masked(b"") == b""


def test_bytes_that_are_no_text_pass_through() -> None:
    assert (
        masked(b"\xff\xfe \x00 caf\xe9\npassword=\xffplume48\n")
        == b"\xff\xfe \x00 caf\xe9\npassword=" + "••••••\n".encode()
    )


def test_windows_line_ends_stay() -> None:
    assert masked(b"token: abc\r\npassword=plume48nuage\r\n") == "token: abc\r\npassword=••••••\r\n".encode()


def test_a_line_is_out_before_the_next_one_is_in() -> None:
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "mask"], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as filter_:
        assert filter_.stdin
        assert filter_.stdout
        for _ in range(2):
            filter_.stdin.write(b"password=plume48nuage\n")
            filter_.stdin.flush()
            assert filter_.stdout.readline() == "password=••••••\n".encode()
        filter_.stdin.close()
        assert filter_.wait() == 0
