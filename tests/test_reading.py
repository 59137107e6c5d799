"""Whole sessions: a case is a file in cases/sessions. Beside them, what holds for every log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import AuditLogBroken
from bot.reading import Command, Digest, read, records

CASES = sorted((Path(__file__).parent / "cases" / "sessions").glob("*.json"))
ALT_OR_ANY = re.compile(r"\x1b[^\[O]|.", re.DOTALL)  # ESC and then a letter is something else
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Session:
    def __init__(self, *pieces: bytes, marks: bool = False) -> None:
        self.transcript = ""
        self.commands: list[Command] = []
        self.digest: Digest = read(pieces, self, marks=marks)

    def text(self, text: bytes) -> None:
        self.transcript += text.decode()

    def command(self, command: Command) -> None:
        self.commands.append(command)


def log(*records: tuple[str, str]) -> bytes:
    fields = [
        {"time": f"2026-03-01T09:00:{number % 60:02d}+01:00", "content": content, "type": kind}
        for number, (kind, content) in enumerate(records)
    ]
    return json.dumps(fields).encode()


def shown(commands: list[Command]) -> list[dict[str, Any]]:
    return [
        {"text": c.text, "program": c.program, "masked": c.masked} | ({} if c.sure else {"sure": False})
        for c in commands
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_reads_as_it_says(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    session = Session(json.dumps(case["records"]).encode())
    assert shown(session.commands) == case["commands"], case["why"]
    assert session.transcript == case["transcript"], case["why"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_any_cut_of_the_bytes_reads_the_same(path: Path) -> None:
    data = json.dumps(json.loads(path.read_text(encoding="utf-8"))["records"], ensure_ascii=False).encode()
    whole = Session(data)
    cut = Session(*(data[at : at + 7] for at in range(0, len(data), 7)))
    assert (cut.transcript, cut.commands, cut.digest) == (whole.transcript, whole.commands, whole.digest)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1, 200, 1500])
def test_any_cut_of_the_records_reads_the_same(path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.dumps(json.loads(path.read_text(encoding="utf-8"))["records"]).encode()
    whole = Session(data)
    monkeypatch.setattr(records, "SLICE", size)  # of the log, whose records are then one batch
    cut = Session(data)
    assert (cut.transcript, cut.commands, cut.digest) == (whole.transcript, whole.commands, whole.digest)


@pytest.mark.parametrize("path", [path for path in CASES if path.stem.startswith("raw-")], ids=lambda path: path.stem)
def test_any_cut_of_the_keys_reads_the_same(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    parts = [
        record | {"content": part}
        for record in case["records"]
        for part in (ALT_OR_ANY.findall(record["content"]) if record["type"] == "input" else [record["content"]])
    ]
    assert shown(Session(json.dumps(parts).encode()).commands) == case["commands"]


def test_a_paste_whose_end_is_cut_ends() -> None:
    prompt = "\x1b[?2004h$ "
    session = Session(
        log(
            ("output", prompt), ("input", "\x1b[200~echo a\x1b[20"), ("input", "1~"), ("output", "echo a"), ("input", "\r"),
            ("output", "\x1b[?2004l\r\na\r\n" + prompt), ("input", "ls\r"), ("output", "ls\r\n\x1b[?2004l\rf\r\n" + prompt),
        )
    )  # fmt: skip
    assert [command.text for command in session.commands] == ["echo a", "ls"]


def test_input_without_an_enter_is_bounded() -> None:
    session = Session(log(("output", "$ "), *[("input", "a" * 4096)] * 2000, ("input", "\r"), ("output", "\r\n$ ")))
    assert session.digest.input_bytes == 4096 * 2000 + 1


def test_a_line_too_long_to_be_held_is_a_line_recorders_too() -> None:
    line, prompt = "x" * 1_500_000, ("output", "\x1b[32m~ $ \x1b[0m\n")
    session = Session(
        log(
            prompt, ("input", "cat x\n"), ("output", "\x1b[K\x1b[32m~ $ \x1b[0mcat x\n"), ("output", line + "\n"),
            prompt, ("input", "ls\n"), ("output", "\x1b[K\x1b[32m~ $ \x1b[0mls\n"), ("output", "f\n"),
        )
    )  # fmt: skip
    assert session.transcript == f"~ $ cat x\n{line}\n~ $ ls\nf\n"


def test_an_enter_counts_where_what_looked_like_a_line_recorders_log_is_none() -> None:
    fields = [("output", "$ \n"), ("input", "ls\n"), ("output", "$ ls\r\n"), ("output", "f\r\n$ ")]
    at_once = [{"time": "2026-03-01T09:00:00+01:00", "content": content, "type": kind} for kind, content in fields]
    assert [command.text for command in Session(json.dumps(at_once).encode()).commands] == ["ls"]


def test_a_long_run_is_read_the_same_in_any_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = [f"{number % 101:3d}% done\n" for number in range(1500)]
    data = log(("output", "$ \n"), ("input", "make\n"), ("output", "$ make\n"), *(("output", bar) for bar in bars),
               ("output", "x" * 20_000 + "\n"), *(("output", bar) for bar in bars))  # fmt: skip
    whole = Session(data).transcript
    for size in (100, 5000, 77_777):
        monkeypatch.setattr(records, "SLICE", size)
        assert Session(data).transcript == whole


@given(st.text(max_size=200), st.integers(0, 200))
@settings(max_examples=300, deadline=None)
def test_any_cut_of_output_reads_the_same(text: str, at: int) -> None:
    whole = Session(log(("output", "x\r\n" + text)))
    cut = Session(log(("output", "x\r\n" + text[:at]), ("output", text[at:])))
    assert cut.transcript == whole.transcript


# Pieces of control sequences, and what they meet; parted by §.
PIECES = "\x1b§[§]§?§;§1§9§m§H§J§K§A§B§P§r§h§l§1049§\r§\n§\b§\t§\x07§\x9b§\x9d§\x90§\x18§\x0e§(0§(B§a§ §漢§e\u0301§\ud800§$ §> §\x7f"
HOSTILE = st.lists(st.sampled_from(PIECES.split("§")), max_size=60).map("".join)


@given(st.lists(st.tuples(st.sampled_from(["output", "input"]), HOSTILE), max_size=12))
@settings(max_examples=300, deadline=None)
def test_nothing_makes_it_fail_or_show_a_control_character(records: list[tuple[str, str]]) -> None:
    session = Session(log(*records))
    assert not CONTROLS.search(session.transcript)
    assert session.transcript == "" or session.transcript.endswith("\n")
    assert session.digest.records == len(records)
    for command in session.commands:  # a tab may well be typed, in a string for instance
        assert not CONTROLS.search(command.text.replace("\t", ""))


@pytest.mark.parametrize("shown", ["a" * 200, "a " * 200, "? a" * 200])
def test_many_completions_that_fit_nowhere_are_told_apart_at_once(shown: str) -> None:
    session = Session(
        log(
            ("output", "$ ls\n"),
            ("output", "ok\n"),
            ("input", "a\t" * 60 + "b\n"),
            ("output", f"$ {shown}\n"),
            ("output", "ok\n"),
        )
    )
    assert shown.strip() in session.transcript
    assert len(session.commands) <= 1


def test_what_is_killed_and_yanked_again_and_again_is_bounded() -> None:
    keys = "\x15\x19\x17" * 60
    session = Session(
        log(("output", "$ "), *(("input", key) for key in keys), ("input", "ls\r"), ("output", "ls\r\nfile\r\n$ "))
    )
    assert session.transcript == "$ ls\nfile\n$\n"


@pytest.mark.parametrize(
    "records",
    [
        [("output", "$ "), ("input", "\x1b²"), ("input", "a"), ("input", "\r")],
        [("output", "$ "), ("input", "\x1b1"), ("input", "1" * 5000), ("input", "a"), ("input", "\r")],
        [("output", "$ "), ("input", "\x1b1" * 5000), ("input", "a"), ("input", "\r")],
        [("output", "$ ls\n"), ("output", f"\x1b[{'1' * 5000}A\n"), ("output", "x\n")],
        [("output", "\x1b[?7l$ ls\n"), ("output", f"\x1b[{'1' * 5000}Cx\n"), ("output", "x\n")],
    ],
)
def test_no_number_is_too_long_or_too_strange(records: list[tuple[str, str]]) -> None:
    assert Session(log(*records)).digest.records == len(records)


def test_a_record_of_another_type_is_passed_over() -> None:
    seen = Session(log(("output", "a\n"), ("resize", "80x24"), ("output", "b\n")))
    assert seen.transcript == "a\nb\n"
    typed = Session(
        log(("resize", "80x24"), ("output", "$ "), ("resize", "99x9"), ("input", "ls\r"), ("output", "ls\r\n"))
    )
    assert [command.text for command in typed.commands] == ["ls"]


def test_a_long_string_that_two_records_cut_is_not_shown() -> None:
    halves = ("output", "\x1b]1337;File=:" + "A" * 5000), ("output", "A" * 5000 + "\x07done\r\n")
    session = Session(log(halves[0], ("input", " "), halves[1]))
    assert session.transcript == "done\n"


@pytest.mark.parametrize("row", ["\x1b[A", "\x1b[1A", "\x1b[?7l\n\x1b[?7h"])
def test_what_is_repeated_takes_no_longer_each_time(row: str) -> None:
    many = log(("output", "$ "), ("input", "ls\r" * 60), ("output", row * 30_000 + "x\n"), ("output", "y\n"))
    assert Session(many).transcript.endswith("y\n")


def test_of_a_block_that_irb_draws_again_its_last_row_is_told() -> None:
    first, second = "irb(main):001* [1].each do |x|\n", "irb(main):002*   puts x\n"
    session = Session(
        log(
            ("output", "irb(main):001> 1\n"), ("input", "[1].each do |x|\n"), ("output", first), ("input", "puts x\n"), ("output", second),
            ("input", "end\n"), ("output", f"\x1b[2A{first}"), ("output", second), ("output", "irb(main):003> end\n"), ("output", "=> [1]\n"),
        )
    )  # fmt: skip
    assert [command.text for command in session.commands] == ["[1].each do |x|", "  puts x", "end"]


def test_a_title_goes_before_a_prompt_that_begins_with_an_empty_line() -> None:
    prompt = [("output", "\x1b]0;~\x07\n"), ("output", "\n"), ("output", "me@app-1 ~\n"), ("output", "\n")]
    records = [*prompt, ("input", "ls\n"), ("output", "$ ls\n"), ("output", "Procfile\n")]
    session = Session(log(*records * 3))
    assert session.transcript.endswith("Procfile\n\nme@app-1 ~\n$ ls\nProcfile\n")


def refusal(data: bytes) -> str:
    try:
        Session(data)
    except AuditLogBroken as error:
        return str(error)
    return "."


@given(st.binary(max_size=120))
@settings(max_examples=300, deadline=None)
def test_bytes_that_are_no_log_are_refused_with_a_sentence(data: bytes) -> None:
    assert refusal(data).endswith(".")
    assert "\n" not in refusal(data)


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=6, max_size=20).filter(lambda word: word.strip("-")))
@settings(max_examples=100, deadline=None)
def test_what_is_typed_blind_is_shown_nowhere(secret: str) -> None:
    line = Session(
        log(
            ("input", f"{secret}x\x7f\n"),
            ("output", "Password: \n"),
            ("output", "welcome\n"),
            ("input", "exit\n"),
            ("output", "$ exit\n"),
        )
    )
    raw = Session(log(("output", "Password: "), ("input", secret), ("input", "\r"), ("output", "\r\nwelcome\r\n")))
    for session in (line, raw):
        assert session.commands[0].masked
        assert secret not in session.transcript
        assert all(secret not in command.text for command in session.commands)


def test_a_full_screen_program_leaves_a_mark_where_one_is_wanted() -> None:
    records = log(
        ("output", "$ "), ("input", "vim f\r"), ("output", "vim f\r\n\x1b[?1049h~\r\n~"), ("output", "\x1b[?1049l$ "), ("input", "exit\r"),
        ("output", "exit\r\n"),
    )  # fmt: skip
    assert Session(records, marks=True).transcript == "$ vim f\n[vim: 1 s, full screen]\n$ exit\n"
    assert Session(records).transcript == "$ vim f\n$ exit\n"


def test_the_mark_stays_where_the_window_is_resized_meanwhile() -> None:
    records = log(
        ("output", "$ "), ("input", "vim f\r"), ("output", "vim f\r\n\x1b[?1049h~\r\n\x1b[6n"), ("input", "\x1b[50;1R"), ("output", "~"),
        ("output", "\x1b[?1049l$ "), ("input", "exit\r"), ("output", "exit\r\n"),
    )  # fmt: skip
    assert Session(records, marks=True).transcript == "$ vim f\n[vim: 3 s, full screen]\n$ exit\n"


def of_lines(*pieces: str) -> bytes:
    outputs = [("output", f"{piece}\n") for piece in ("~ $ cat x", *pieces, "~ $ ")]
    return log(("input", "cat x\n"), *outputs)


def test_lines_with_returns_of_their_own_leave_no_empty_ones() -> None:
    rows = [f"{number};x" for number in range(700)]
    doubled = [piece for row in rows for piece in (row, "")]
    assert Session(of_lines(*doubled)).transcript == "\n".join(["~ $ cat x", *rows, "~ $\n"])


def test_paragraphs_keep_the_empty_lines_between_them() -> None:
    text = ["Title", "", "First.", "", "Second.", "", "Third:", "", "- one", "- two"]
    assert Session(of_lines(*text)).transcript == "\n".join(["~ $ cat x", *text, "~ $\n"])
