"""The forms of the contract, and the command that writes them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import AuditLogBroken
from bot.reading.export import digest_to, write_cast, write_json, write_transcript

# What the platform's documentation shows, shortened: the banner, two commands, a redrawn prompt.
PROMPT = "[15:27] \x1b[1;49;94mScalingo\x1b[0m:\x1b[1;49;94mmy-app\x1b[0m \x1b[49;96m~\x1b[0m \x1b[1m$\x1b[0m "
RECORDS = [
    ("2019-05-03T17:27:27.819655645+02:00", "output", "You are in a \x1b[1;34mone-off container\x1b[0m. \n"),
    ("2019-05-03T17:27:28.875210681+02:00", "output", PROMPT + "\n"),
    ("2019-05-03T17:27:32.681685591+02:00", "input", 'echo "é"\n'),
    ("2019-05-03T17:27:32.682630706+02:00", "output", "\x1b[K" + PROMPT + 'echo "é"\n'),
    ("2019-05-03T17:27:32.683022023+02:00", "output", "é\n"),
    ("2019-05-03T17:27:34.313652729+02:00", "input", "exit\n"),
    ("2019-05-03T17:27:34.314714174+02:00", "output", PROMPT + "exit\n"),
    ("2019-05-03T17:27:34.314943454+02:00", "output", "exit\n"),
]
LOG = json.dumps([{"time": time, "content": content, "type": kind} for time, kind, content in RECORDS]).encode()
LINES = [
    "You are in a one-off container.",
    '[15:27] Scalingo:my-app ~ $ echo "é"',
    "é",
    "[15:27] Scalingo:my-app ~ $ exit",
    "exit",
]
TRANSCRIPT = "\n".join(LINES) + "\n"
SAMPLE = Path(__file__).parents[2] / "shared"


def test_the_digest_as_json() -> None:
    out = io.BytesIO()
    write_json([LOG], out)
    digest = json.loads(out.getvalue())
    assert list(digest) == [
        "started_at", "ended_at", "duration_s", "records", "output_bytes", "input_bytes", "commands", "secrets_masked",
    ]  # fmt: skip
    assert digest["started_at"], digest["ended_at"] == (RECORDS[0][0], RECORDS[-1][0])
    assert digest["duration_s"] == 6.495
    assert digest["records"] == len(RECORDS)
    assert digest["output_bytes"] == sum(len(content.encode()) for _, kind, content in RECORDS if kind == "output")
    assert digest["input_bytes"] == len('echo "é"\nexit\n'.encode())
    assert digest["commands"] == [
        {"time": RECORDS[2][0], "text": 'echo "é"', "program": "shell", "masked": False},
        {"time": RECORDS[5][0], "text": "exit", "program": "shell", "masked": False},
    ]
    assert digest["secrets_masked"] == 0


def test_an_empty_log_as_json() -> None:
    out = io.BytesIO()
    write_json([b"[]"], out)
    digest = json.loads(out.getvalue())
    assert digest["started_at"] is None
    assert digest["commands"] == []
    assert digest["duration_s"] == 0


def test_the_transcript() -> None:
    out = io.BytesIO()
    write_transcript([LOG], out)
    assert out.getvalue().decode() == TRANSCRIPT


def test_a_cast_shows_each_line_when_it_stood_there() -> None:
    out = io.BytesIO()
    write_cast([LOG], out)
    header, *events = map(json.loads, out.getvalue().splitlines())
    assert header == {"version": 2, "width": 80, "height": 24, "timestamp": 1556897247}
    assert [event[1:] for event in events] == [["o", line + "\r\n"] for line in LINES]
    seconds = [event[0] for event in events]
    assert seconds == sorted(seconds)
    assert seconds[-1] == pytest.approx(6.495, abs=0.001)


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-01T00:00:00", "2026-01-01T00:00:01Z"),
        ("0001-01-01T00:00:00", "9999-12-31T23:59:59"),
        ("\ud800", "yesterday"),
    ],
)
def test_a_cast_of_strange_times(times: tuple[str, str]) -> None:
    log = json.dumps([{"time": time, "content": "a\n", "type": "output"} for time in times]).encode()
    out = io.BytesIO()
    write_cast([log], out)
    header, *events = map(json.loads, out.getvalue().splitlines())
    assert header["version"] == 2
    assert [event[1:] for event in events] == [["o", "a\r\n"]] * 2
    write_json([log], out)


def test_a_cast_holds_no_secret_that_two_records_cut() -> None:
    halves = ["DATABASE_URL=postgres://app:made", "upsecret77@db.example.org/app\r\n"]
    log = json.dumps(
        [{"time": f"2026-03-01T09:00:0{n}Z", "content": text, "type": "output"} for n, text in enumerate(halves)]
    )
    out = io.BytesIO()
    write_cast([log.encode()], out)
    assert b"made" not in out.getvalue()
    assert b"upsecret77" not in out.getvalue()


def test_a_digest_for_the_bot_names_few_commands_and_counts_all(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(gzip.compress(LOG))
    digest = digest_to(tmp_path / "log", tmp_path / "words", 1, str)
    assert [command["text"] for command in digest["commands"]] == ['echo "é"']
    assert digest["command_count"] == 2
    assert digest["masked"] == {}
    assert (tmp_path / "words").read_text(encoding="utf-8") == TRANSCRIPT


def test_a_broken_log_leaves_nothing_written() -> None:
    for write in (write_json, write_transcript, write_cast):
        out = io.BytesIO()
        with pytest.raises(AuditLogBroken):
            write([LOG[:-9]], out)
        assert out.getvalue() == b""


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "read", *arguments], input=given, capture_output=True, check=False
    )


def test_read_from_standard_input() -> None:
    done = run("-", "--transcript", given=gzip.compress(LOG))
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, TRANSCRIPT, b"")


def test_a_summary_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(LOG)
    done = run(str(tmp_path / "log.json"))
    assert done.returncode == 0
    assert "Commands  2 (shell: 2)" in done.stdout.decode()
    assert '17:27:32  shell      echo "é"' in done.stdout.decode()
    assert "nothing was recorded" in run("-", given=b"[]").stdout.decode()


@pytest.mark.parametrize("given", [b"", b"{}", LOG[:-1], b"[7]", b"\x1f\x8b"])
def test_bad_input_is_one_line_and_status_2(given: bytes) -> None:
    for form in ("--json", "--transcript", "--cast"):
        done = run("-", form, given=given)
        assert done.returncode == 2
        assert done.stdout == b""
        assert done.stderr.count(b"\n") == 1
    assert run("no-such-file").returncode == 2


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the documentation's sample is not here")
def test_the_sample_reads_exactly() -> None:
    out = io.BytesIO()
    write_transcript([(SAMPLE / "sample-audit-log.json").read_bytes()], out)
    assert out.getvalue() == (SAMPLE / "sample-transcript.txt").read_bytes()
