"""What a person typed after /auditlog. A case is a line of cases/requests.txt."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput
from bot.slack.request import APP_NAME, AUDIT_LOG_ID, REGION_NAME, ListSessions, ReadLast, ReadOne, Request, parse

CASES = Path(__file__).parent / "cases" / "requests.txt"
# What would be more than letters to Slack, to a terminal or to the eye.
ALIVE = re.compile("[\x00-\x1f\x7f-\x9f<>&@\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|://")


def repeated(text: str) -> str:
    return re.sub(r"⟨(.+?)\*(\d+)⟩", lambda match: match[1] * int(match[2]), text)


def cases() -> Iterator[tuple[str, str]]:
    for line in CASES.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            typed, outcome = line.split(" → ")
            yield repeated(json.loads(typed)), repeated(outcome)


def told(request: Request) -> str:
    words = [type(request).__name__]
    if app := getattr(request, "app", None):
        words.append(f"{app.region}/{app.name}")
    if isinstance(request, ReadOne):
        words.append(request.audit_log_id)
    return " ".join(words)


def name(text: str) -> str:
    return text[:40].encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize(("typed", "outcome"), list(cases()), ids=name)
def test_what_it_means(typed: str, outcome: str) -> None:
    try:
        said = told(parse(typed, "osc-fr1"))
    except BadInput as error:
        said = f"! {error}"
    assert said == outcome


def test_the_default_region_is_the_caller_s() -> None:
    assert told(parse("my-app last", "osc-secnum-fr1")) == "ReadLast osc-secnum-fr1/my-app"
    with pytest.raises(BadInput, match="`/auditlog osc-fr1/my-app last`"):
        parse("osc-fr1/My-App last", "osc-secnum-fr1")


PIECES = """
    subscribe unsubscribe subscriptions help last my-app My-App -a --app --app= --region --region=osc-fr1 -ax -h - —a `x` & &lt;
    osc-fr1/my-app ../../etc/passwd <!channel> <@U1|ada> <http://a.b|c> <https://a.b> 5dd1aa0c63736300011a0000
"""
pieces = st.one_of(
    st.text(max_size=60), st.sampled_from(PIECES.split()), st.sampled_from(["\u202e", "\ufeff", "\0", "\ud800"])
)


def check(sentence: str) -> None:
    assert not ALIVE.search(sentence)
    assert "`/auditlog" in sentence
    assert sentence.count("`") % 2 == 0
    assert re.fullmatch(r".+[.?]", sentence)
    assert len(sentence) < 600


@given(st.lists(pieces, max_size=6).map(" ".join))
def test_only_right_names_come_through_and_a_wrong_one_gets_one_harmless_sentence(typed: str) -> None:
    try:
        request = parse(typed, "osc-fr1")
    except BadInput as error:
        check(str(error))
        return
    if app := getattr(request, "app", None):
        assert APP_NAME.fullmatch(app.name)
        assert REGION_NAME.fullmatch(app.region)
    if isinstance(request, ReadOne):
        assert AUDIT_LOG_ID.fullmatch(request.audit_log_id)


@given(st.from_regex(APP_NAME, fullmatch=True), st.from_regex(AUDIT_LOG_ID, fullmatch=True))
def test_with_the_flag_every_right_name_is_taken_as_it_is(app: str, audit_log_id: str) -> None:
    assert parse(f"-a {app} last", "osc-fr1") == parse(f"last --app={app}", "osc-fr1")
    assert isinstance(parse(f"--app {app} last", "osc-fr1"), ReadLast)
    assert isinstance(parse(f"--app {app}", "osc-fr1"), ListSessions)
    request = parse(f"osc-fr1/{app} 5dd1aa0c63736300011a{len(audit_log_id):04}", "osc-secnum-fr1")
    assert isinstance(request, ReadOne)
    assert request.app.name == app


@given(st.text(min_size=1, max_size=5000))
def test_no_text_breaks_it(typed: str) -> None:
    try:
        parse(typed, "osc-fr1")
    except BadInput as error:
        check(str(error))
