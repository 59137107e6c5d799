"""Masking: what the cases call secret is gone, everything else is untouched, however the text comes."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from secret_cases import Labelled, files, read_case

from bot.reading import secrets
from bot.reading.masking import MASK
from bot.reading.masking.names import Meaning, is_placeholder, looks_random, meaning
from bot.reading.masking.remembered import LARGEST, Remembered
from bot.reading.secrets import Masker, mask_lines

PASSWORD = "Tr0ub4dor&3x"


def masked(*lines: str) -> list[str]:
    return Masker().feed("".join(line + "\n" for line in lines)).splitlines()


def expected(line: Labelled) -> str:
    text, position = "", 0
    for start, end in line.spans:
        text += line.text[position:start] + MASK
        position = end
    return text + line.text[position:]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_nothing_that_a_case_calls_secret_is_readable(path: Path) -> None:
    lines = read_case(path)
    shown = masked(*(line.text for line in lines))
    leaks = [
        (line.text, seen)
        for line, seen in zip(lines, shown, strict=True)
        if any(line.text[start:end][4:] in seen for start, end in line.spans if end - start > 4)
    ]
    assert leaks == []


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_nothing_that_a_case_calls_clean_is_touched(path: Path) -> None:
    lines = read_case(path)
    shown = masked(*(line.text for line in lines))
    assert [seen for line, seen in zip(lines, shown, strict=True) if not line.spans and seen != line.text] == []


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_most_masks_are_as_long_as_the_secret_to_the_letter(path: Path) -> None:
    lines = read_case(path)
    shown = masked(*(line.text for line in lines))
    exact = sum(expected(line) == seen for line, seen in zip(lines, shown, strict=True))
    assert exact >= 0.95 * len(lines)


def test_a_value_is_masked_wherever_it_stands_again() -> None:
    shown = masked(
        f"DB_PASSWORD={PASSWORD}",
        "a quiet line",
        f"connect as app with {PASSWORD} now",
        "Tr0ub4dor%263x",
        "VHIwdWI0ZG9yJjN4",
    )
    assert shown == [f"DB_PASSWORD={MASK}", "a quiet line", f"connect as app with {MASK} now", MASK, MASK]


def test_the_login_of_basic_authorization_is_remembered() -> None:
    shown = masked("> Authorization: Basic bGVhOnBsdW1lLTQ4MTUtY2l0cm9u", "psql said plume-4815-citron")
    assert shown == [f"> Authorization: Basic {MASK}", f"psql said {MASK}"]


def test_words_of_the_language_are_not_remembered() -> None:
    shown = masked("POSTGRES_PASSWORD=postgres", "postgres is running", "PASSWORD=true", "it is true")
    assert shown == [f"POSTGRES_PASSWORD={MASK}", "postgres is running", "PASSWORD=true", "it is true"]


def test_what_was_learned_is_masked_as_a_whole_word() -> None:
    masker = Masker()
    masker.learn("s3same")
    assert masker.feed("s3same, s3sames, (s3same)\n") == f"{MASK}, s3sames, ({MASK})\n"
    assert masker.line("echo s3same") == f"echo {MASK}"
    assert masker.counts == {"seen again": 3}


def test_a_password_that_is_a_word_is_masked_too() -> None:
    masker = Masker()
    masker.learn("tramway")
    assert masker.feed("the tramway of Nantes\n") == f"the {MASK} of Nantes\n"


@pytest.mark.parametrize("value", ["", "y", "yes", "\n", "postgres"])
def test_a_learned_value_that_says_nothing_wrecks_nothing(value: str) -> None:
    masker = Masker()
    masker.learn(value)
    text = "yes, postgres: try any way you like\n"
    assert masker.feed(text) == text


def test_a_pasted_secret_of_several_lines_is_learned_line_by_line() -> None:
    masker = Masker()
    masker.learn("first-l1ne\nsecond-l1ne")
    assert masker.feed("second-l1ne\nfirst-l1ne\n") == f"{MASK}\n{MASK}\n"


def test_counts_name_classes_and_no_value() -> None:
    masker = Masker()
    masker.feed(f"DB_PASSWORD={PASSWORD}\nredis://:{PASSWORD}@cache:6379/0\n")
    assert sum(masker.counts.values()) == 2
    assert PASSWORD not in repr(masker.counts) + repr(masker)


def test_a_key_stays_masked_where_the_block_ends() -> None:
    masker = Masker()
    body = "MIIEpAIBAAKCAQEA7bq0" * 3 + "abcd"
    first = masker.feed("-----BEGIN RSA PRIVATE KEY-----\n")
    assert first + masker.feed(body + "\n") == f"-----BEGIN RSA PRIVATE KEY-----\n{MASK}\n"
    assert masker.feed("-----END RSA PRIVATE KEY-----\ntotal 8\n") == "-----END RSA PRIVATE KEY-----\ntotal 8\n"


def test_a_command_between_two_lines_of_output_changes_nothing_for_them() -> None:
    masker = Masker()
    masker.feed("~ $ printenv JWT_SECRET\n")
    assert masker.line("ls -l") == "ls -l"
    assert masker.feed("hJ5vR2kq9TzL4mNw\n") == f"{MASK}\n"


def test_a_paste_of_several_lines_is_one_command() -> None:
    assert Masker().line(f"export A=1\nexport TOKEN_SECRET={PASSWORD}") == f"export A=1\nexport TOKEN_SECRET={MASK}"


def test_bytes_that_are_no_text_hide_nothing() -> None:
    assert masked("\udc80 ghp_" + "a1B2" * 9) == [f"\udc80 {MASK}"]


def test_a_format_is_found_behind_what_only_begins_as_one() -> None:
    token = "_".join(("ghp", "R8mQ2vX7kD4wT9bN1cZ6yL3pJ5hF0gS8aE2u"))
    shown = masked(f"é ghp_short sk-abcd {token} ghp_also", f"{token}/ghp_{'x' * 4}é{token}")
    assert shown == [f"é ghp_short sk-abcd {MASK} ghp_also", f"{MASK}/ghp_{'x' * 4}é{MASK}"]


@pytest.mark.parametrize("count", [1, 5, 300, 700])
def test_as_many_values_as_there_are_are_found_again(count: int) -> None:
    values = [f"v{number:05}-{number * 7919 % 100003:06}" for number in range(count)]
    masker = Masker()
    for value in values:
        masker.learn(value)
    text = "".join(f"line {value}, {value[:-1]}\n" for value in values) + "quiet " * 1000 + "\n"
    expected = "".join(f"line {MASK}, {value[:-1]}\n" for value in values) + "quiet " * 1000 + "\n"
    assert masker.feed(text) == expected


@pytest.mark.parametrize("ending", ["\r\n", "\n", ""])
def test_the_ends_of_lines_are_kept(ending: str) -> None:
    assert list(mask_lines([f"password={PASSWORD}{ending}"])) == [f"password={MASK}{ending}"]


# --- properties -------------------------------------------------------------------------------------------------------

_ALL = [line.text for path in files() for line in read_case(path)]
_PIECES = st.sampled_from(
    ["password", "=", ": ", '"', "'", "token", "://", "@", ":", "KEY", "|", "-p", "mysql ", "eyJhbGciOi.abc", MASK, "$6$",
     "\\", "\t", "é", "•", "\udc80", "curl -u ", "a1B2c3D4e5F6g7H8", "-----BEGIN PRIVATE KEY-----", "---", "Bearer ", "${", "}"]
)  # fmt: skip
_LINES = st.lists(
    st.one_of(st.sampled_from(_ALL), st.lists(_PIECES | st.text(max_size=8), max_size=12).map("".join)), max_size=12
)


def _one_line(text: str) -> str:
    return re.sub(r"[\n\r]", " ", text)


@settings(max_examples=150, deadline=None)
@given(_LINES)
def test_any_text_comes_out_line_for_line(lines: list[str]) -> None:
    text = "".join(_one_line(line) + "\n" for line in lines)
    assert Masker().feed(text).count("\n") == text.count("\n")


@settings(max_examples=100, deadline=None)
@given(_LINES, st.data())
def test_any_cut_into_blocks_reads_the_same(lines: list[str], data: st.DataObject) -> None:
    whole = [_one_line(line) + "\n" for line in lines]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=4)))
    masker = Masker()
    pieces = [masker.feed("".join(whole[a:b])) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert "".join(pieces) == Masker().feed("".join(whole))


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_masking_what_is_masked_changes_nothing(path: Path) -> None:
    once = masked(*(line.text for line in read_case(path)))
    assert masked(*once) == once


def _read_closely(lines: Iterable[str]) -> list[str]:
    """Every line read with every finder: what the hints may at most leave out."""
    masker = Masker()
    return [masker._masked(line, masker._found(line)).decode() for line in lines]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_no_hint_is_too_narrow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line.text for line in read_case(path)]
    hinted = masked(*lines)
    automaton = secrets._automaton()
    every = list(dict.fromkeys(automaton._finders))
    monkeypatch.setattr(automaton, "finders", lambda line: every)
    closely = _read_closely(lines)
    assert [(a, b) for a, b in zip(hinted, closely, strict=True) if a != b] == []


# --- names and values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "dbPass", "smtp.pwd", "motDePasse", "MDP_ADMIN", "client_secret", "REDIS_PW", "userPassword"],
)
def test_names_that_mean_a_secret(name: str) -> None:
    assert meaning(name) is Meaning.SECRET


@pytest.mark.parametrize(
    "name", ["API_KEY", "accessToken", "cle_api", "JETON_ACCES", "MJ_APIKEY_PRIVATE", "dd-api-key", "session_id"]
)
def test_names_that_mean_a_key(name: str) -> None:
    assert meaning(name) is Meaning.KEY


@pytest.mark.parametrize(
    "name",
    [
        "TOKEN_TTL",
        "public_key",
        "primary_key",
        "PASSWORD_MIN_LENGTH",
        "monkey",
        "author",
        "secretary",
        "cache_key",
        "bypass",
        "keyboard",
    ],
)
def test_names_that_only_look_like_one(name: str) -> None:
    assert meaning(name) is Meaning.NOTHING


@pytest.mark.parametrize(
    "value", ["[FILTERED]", "${DB_PASSWORD}", "nil", "character varying(64)", "<redacted>", "***", "params[:password]"]
)
def test_values_that_stand_for_a_secret(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    ["users/319/avatar.png", "2026-03-02T11:04:27Z", "front-prod-tls", "en_US.UTF-8", "sha256:9f86d081884c7d65"],
)
def test_values_that_somebody_wrote(value: str) -> None:
    assert not looks_random(value)


# --- memory -----------------------------------------------------------------------------------------------------------


def test_a_session_remembers_a_bounded_number_of_values() -> None:
    remembered = Remembered()
    for number in range(LARGEST):
        remembered.learn(f"value-{number:08}-x{number}")
    assert len(remembered) == LARGEST
    text = b"before value-00000007-x7 after"
    assert remembered.where(text) == [(7, 24)]


# --- the labelled corpus, where it is at hand -------------------------------------------------------------------------

CORPUS = Path(__file__).parents[2] / "shared" / "secrets" / "corpus.jsonl"


@pytest.mark.skipif(not CORPUS.exists(), reason="the labelled corpus is not part of this repository")
def test_the_labelled_corpus() -> None:
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    shown = masked(*(row["text"] for row in rows))
    touched = [
        (row["text"], seen) for row, seen in zip(rows, shown, strict=True) if not row["spans"] and row["text"] != seen
    ]
    left = {
        span["secret"]
        for row, seen in zip(rows, shown, strict=True)
        for span in row["spans"]
        if not span["kind"].startswith("pii-")
        and not span.get("optional")
        and row["text"][span["start"] : span["end"]][4:] in seen
    }
    assert len(touched) <= 17
    assert len(left) <= 19  # of 381
