"""`python -m bot …` from outside: what it prints, and one line with status 2 for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SAMPLE

ROOT = Path(__file__).parents[1]


def bot(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    passed = {
        name: os.environ[name]
        for name in ("PATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
        if name in os.environ
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**passed, **environment},
        timeout=60,
        check=False,
    )


def complaint(run: subprocess.CompletedProcess[bytes]) -> str:
    assert run.returncode == 2
    assert run.stdout == b""
    (line,) = run.stderr.decode().splitlines()
    return line


def test_the_sample_as_the_contract_shows_it() -> None:
    run = bot("read", str(SAMPLE), "--json")
    assert json.loads(run.stdout) == {
        "started_at": "2019-05-03T17:27:27.819655645+02:00",
        "ended_at": "2019-05-03T17:27:34.314943454+02:00",
        "duration_s": 6.495,
        "records": 16,
        "output_bytes": 709,
        "input_bytes": 17,
        "commands": [
            {
                "time": "2019-05-03T17:27:32.681685591+02:00",
                "text": 'echo "TEST"',
                "program": "shell",
                "masked": False,
            },
            {"time": "2019-05-03T17:27:34.313652729+02:00", "text": "exit", "program": "shell", "masked": False},
        ],
        "secrets_masked": 0,
    }


def test_the_summary_and_the_transcript() -> None:
    assert 'echo "TEST"' in bot("read", str(SAMPLE)).stdout.decode()
    transcript = bot("read", "-", "--transcript", stdin=SAMPLE.read_bytes()).stdout.decode()
    assert transcript.startswith("You are in a one-off container. This is a copy of your production\n")
    assert transcript.endswith("[15:27] Scalingo:rss-john ~ $ exit\nexit\n")


def test_a_cast_is_an_asciicast() -> None:
    header, *events = bot("read", str(SAMPLE), "--cast").stdout.decode().splitlines()
    assert json.loads(header)["version"] == 2
    assert "TEST" in "".join(json.loads(event)[2] for event in events)


def test_mask_is_a_filter() -> None:
    run = bot("mask", stdin=b"DB_PASSWORD=correct-horse-battery\nplain\n\xff\n")
    assert run.stdout.decode("utf-8", "replace").splitlines()[:2] == ["DB_PASSWORD=••••••", "plain"]
    assert run.stdout.count(b"\n") == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "invalid choice"),
        (["read"], "FILE"),
        (["read", "nowhere.json"], "nowhere.json can't be read"),
        (["read", "-", "--json"], "JSON"),
        (["read", "-", "--marks"], "--transcript"),
        (["read", "x", "--json", "--cast"], "not allowed with"),
        (["try", "--picture", "thread.png"], "SVG"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str) -> None:
    assert said in complaint(bot(*arguments, stdin=b"<html>"))


@pytest.mark.parametrize("command", [["serve"], ["worker"], []])
def test_every_missing_variable_is_named(command: list[str]) -> None:
    line = complaint(bot(*command))
    for name in ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SCALINGO_API_TOKEN"):
        assert name in line


def test_a_worker_needs_postgresql() -> None:
    line = complaint(bot("worker", SLACK_BOT_TOKEN="x", SLACK_SIGNING_SECRET="y", SCALINGO_API_TOKEN="z"))
    assert "DATABASE_URL" in line


def test_try_shows_the_thread_and_saves_its_picture(tmp_path: Path) -> None:
    picture = tmp_path / "thread.svg"
    run = bot("try", "--picture", str(picture))
    assert (run.returncode, run.stderr) == (0, b"")
    shown = run.stdout.decode()
    for part in ("/auditlog rss-john last", "john ran bash", 'echo "TEST"', "rss-john-2019-05-03-1527-"):
        assert part in shown
    assert picture.read_text().startswith("<svg")


def test_help_names_every_command() -> None:
    shown = bot("--help").stdout.decode()
    for command in ("serve", "worker", "read", "mask", "try"):
        assert f"\n    {command} " in shown
