"""What Slack is told: within its limits whatever a session holds, and nothing typed comes alive."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.digest import Command, Digest
from bot.session import Session, SessionKey
from bot.slack import blocks
from bot.slack.kit import prose
from bot.slack.message import Message
from bot.standin.limits import complaints

OPERATOR = "deploy@scalingo.com"
MASK = "••••••"
LIVE = [
    "<!channel> <!here> <@U0ADA> <#C0OPS>",
    "@channel @here",
    "`code` *bold* _italic_ ~strike~ :tada:",
    "<https://evil.example|harmless> https://evil.example ada@example.com",
    "&lt;!channel&gt; & < >",
    "rm -rf / \u202e gpj.exe \u2066x\u2069",
    "zero\u200bwidth \ufeff \u2060 \U000e0041",
    "\x1b[31mred\x1b[0m \x07 \x00 \r over \x9b2J",
    "lone \ud800 surrogate",
    "line\nbreak\ttab\u2028separator",
    "x" * 2_000,
    "😀" * 1_000,
]
# What Slack may act upon in `mrkdwn`: each of these is ours.
OURS = re.compile(
    r"<!date\^\d+\^\{date_short_pretty\} at \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>|<@U[0-9A-Z]+>"
    r"|<https://dashboard\.scalingo\.com/apps/[A-Za-z0-9%._~-]+/[A-Za-z0-9%._~-]+/activity\|Dashboard>"
    r"|<https://acme\.slack\.com/archives/C1/p1\|its thread>"
)
WITHOUT_GLYPH = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)
PERMALINK = "https://acme.slack.com/archives/C1/p1"


def session(**facts: Any) -> Session:
    usual = Session(
        key=SessionKey("osc-fr1", "5343eccd646173000a140000", "54dcdd4a73636100011a0000"),
        app_name="my-app",
        started_at=datetime(2026, 11, 23, 17, 27, 40, tzinfo=UTC),
        user_name="ada",
        user_email="ada@example.com",
        command="rails console",
        audit_log_id="5dd1aa0c63736300011a0000",
        audit_log_size=122_445_385,
    )
    return replace(usual, **facts)


def command(
    text: str, time: str = "2026-11-23T18:27:32.681685591+01:00", program: str = "shell", *, sure: bool = True
) -> Command:
    return Command(time=time, text=text, program=program, masked=text == MASK, sure=sure)


def digest(*commands: Command, **facts: Any) -> Digest:
    usual = Digest(
        started_at="2026-11-23T18:27:27.819655645+01:00",
        ended_at="2026-11-23T18:30:32.314943454+01:00",
        duration_s=185.2,
        records=16,
        command_count=len(commands),
        commands=commands,
        secrets_masked=0,
        masked={},
    )
    return replace(usual, **facts)


@dataclass(frozen=True)
class Subscription:
    region: str = "osc-fr1"
    app_name: str = "my-app"
    user: str = "U0BOB"


@dataclass(frozen=True)
class Count:
    run_events: int = 14
    read: int = 14
    without_log: int = 0
    owed: int = 0


def elements(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from elements(each, kind)
    elif isinstance(value, dict):
        if value.get("type") == kind:
            yield value
        for each in value.values():
            yield from elements(each, kind)


def literal(message: Message) -> str:
    """All that stands in literal elements, part by part."""
    return "\n".join(
        "".join(each.get("text") or f"@{each.get('user_id')}" for each in part["elements"])
        for kind in ("rich_text_section", "rich_text_preformatted")
        for part in elements(message.blocks, kind)
    )


def context(message: Message) -> str:
    return " ".join(each["elements"][0]["text"] for each in elements(message.blocks, "context"))


def check_limits(message: Message) -> None:
    """Slack's own, and half a screen of room below the one that it measures in a way of its own."""
    assert complaints(message.blocks) is None
    assert len(json.dumps(message.blocks)) <= 11_500
    assert 1 <= len(message.text) <= 4_000
    for button in elements(message.blocks, "button"):
        assert len(button["accessibility_label"]) <= 75
        assert button["action_id"] in {blocks.READ_SESSION, blocks.POST_AGAIN}
        assert button["text"]["emoji"] is False
    assert all("block_id" not in block for block in message.blocks)


def check_literal(message: Message) -> None:
    for text in [message.text, *(each["text"] for each in elements(message.blocks, "mrkdwn"))]:
        assert "<" not in OURS.sub("", text)
        assert ">" not in OURS.sub("", text)
        assert text.count("`") % 2 == 0
    assert all(each["verbatim"] for each in elements(message.blocks, "mrkdwn"))
    assert {each["url"] for each in elements(message.blocks, "link")} <= {PERMALINK}
    assert not list(elements(message.blocks, "emoji"))
    assert not list(elements(message.blocks, "broadcast"))
    assert not WITHOUT_GLYPH.search("".join(strings([message.text, message.blocks])))


def check_unmarked(message: Message) -> None:
    """As `check_literal`; a sentence may hold any number of backticks."""
    check_literal(replace(message, text=message.text.replace("`", "")))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        yield from strings(list(value.values()))


texts = st.one_of(st.text(max_size=300), st.sampled_from(LIVE))
sessions = st.builds(
    session,
    app_name=texts,
    user_name=texts,
    user_email=texts,
    command=texts,
    detached=st.booleans(),
    audit_log_id=st.one_of(st.none(), texts),
)
commands = st.builds(
    command,
    texts,
    st.one_of(texts, st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)),
    st.one_of(st.sampled_from(["shell", "psql", "unknown"]), texts),
    sure=st.booleans(),
)
digests = st.lists(commands, max_size=30).flatmap(
    lambda some: st.builds(
        lambda more, masked, start: digest(
            *some, command_count=len(some) + more, secrets_masked=masked, started_at=start
        ),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
        st.one_of(st.none(), texts),
    )
)
states = st.one_of(
    st.just(blocks.Waiting()),
    st.just(blocks.Empty()),
    st.builds(blocks.Failed, texts),
    st.builds(blocks.Ready, digests),
)
contents = st.sampled_from(["full", "commands", "metadata"])


# --- whatever a session holds


@settings(max_examples=50)
@given(sessions, states, contents, st.booleans())
def test_no_parent_breaks_a_limit_or_comes_alive(
    one: Session, state: blocks.State, content: blocks.Content, by_subscription: bool
) -> None:
    message = blocks.parent(one, state, content=content, posted_for="U0ADA", by_subscription=by_subscription)
    check_limits(message)
    check_unmarked(message)


@settings(max_examples=50)
@given(digests, contents)
def test_no_reply_breaks_a_limit_or_comes_alive(read: Digest, content: blocks.Content) -> None:
    message = blocks.commands_reply(read, content=content, posted_for="U0ADA")
    check_limits(message)
    check_literal(message)


@settings(max_examples=50)
@example([session(audit_log_id="x" * 64)] * 30, "\U0001f600" * 200, "full")
@given(st.lists(sessions, max_size=30), texts, contents)
def test_no_list_breaks_a_limit_or_comes_alive(some: list[Session], app: str, content: blocks.Content) -> None:
    message = blocks.sessions_list("osc-fr1", app, some, ["v" * 400] * len(some), content=content)
    check_limits(message)
    check_literal(message)


@settings(max_examples=50)
@given(texts, texts)
def test_no_sentence_breaks_a_limit_or_comes_alive(app: str, error: str) -> None:
    for message in (
        blocks.already_here(app, PERMALINK, "v" * 400),
        blocks.on_its_way(app),
        blocks.progress(app, 45_000_000),
        blocks.progress(app, 0),
        blocks.still_asking(error),
        blocks.sentence(blocks.still_trying(app, error)),
        blocks.sentence(blocks.held(app, error)),
        blocks.subscribed(app, new=True, webhook=error, in_channel=False, every_s=60),
        blocks.unsubscribed(app),
        blocks.help_text(),
    ):
        check_limits(message)
        check_unmarked(message)


@settings(max_examples=50)
@given(
    st.lists(st.builds(Subscription, app_name=texts), min_size=1, max_size=120),
    st.one_of(st.none(), st.builds(Count, owed=st.integers(0, 9))),
)
def test_no_overview_breaks_a_limit_or_comes_alive(some: list[Subscription], count: Count | None) -> None:
    for message in (
        blocks.subscriptions([(each, count) for each in some]),
        blocks.weekly([(each, count) for each in some]),
    ):
        check_limits(message)
        check_literal(message)


@settings(max_examples=50)
@given(sessions, texts)
def test_a_file_name_has_letters_digits_and_hyphens(one: Session, event_id: str) -> None:
    name = blocks.file_name(replace(one, key=replace(one.key, event_id=event_id)))
    assert re.fullmatch(r"[a-z0-9][A-Za-z0-9-]*\.txt", name)
    assert len(name) < 110


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_prose_loses_nothing(text: str) -> None:
    told = "".join(each["text"] for each in prose(text))
    assert told.replace("`", "") == "".join(each["text"] for each in prose(text.replace("`", "")))


# --- the parent


def test_the_parent_says_it_in_one_line() -> None:
    message = blocks.parent(session(), blocks.Ready(digest(*[command("ls")] * 12)))
    assert literal(message) == "my-app: ada ran rails console"
    assert context(message) == (
        "<!date^1795454847^{date_short_pretty} at {time}|2026-11-23 17:27 UTC> · 3 min 5 s · 12 commands · osc-fr1 · "
        "<https://dashboard.scalingo.com/apps/osc-fr1/my-app/activity|Dashboard>"
    )
    assert message.text == f"my-app: ada ran `rails console` · {context(message)}"


@pytest.mark.parametrize(
    ("facts", "headline"),
    [
        (
            {"command": "", "user_name": "scalingo", "user_email": OPERATOR},
            "my-app: a Scalingo operator ran a one-off container",
        ),
        ({"command": ""}, "my-app: ada ran a one-off container"),
        ({"user_name": ""}, "my-app: ada@example.com ran rails console"),
        ({"user_name": "", "user_email": ""}, "my-app: somebody ran rails console"),
        ({"app_name": ""}, "unnamed: ada ran rails console"),
        ({"command": "a\u202eb"}, "my-app: ada ran a‹U+202E›b"),
    ],
)
def test_who_ran_what(facts: dict[str, str], headline: str) -> None:
    assert literal(blocks.parent(session(**facts), blocks.Ready(digest()))) == headline


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (blocks.Waiting(), "It is still running, or its audit log is not there yet: the thread follows."),
        (blocks.Empty(), "Its audit log is empty: nothing was typed and nothing was shown."),
        (
            blocks.Failed("It can't be read: `/auditlog my-app last` tries again."),
            "It can't be read: /auditlog my-app last tries again.",
        ),
    ],
)
def test_a_parent_without_a_digest_says_why(state: blocks.State, told: str) -> None:
    message = blocks.parent(session(), state, posted_for="U0ADA")
    assert literal(message) == f"my-app: ada ran rails console\n{told}"
    assert f"ran rails console · {told} · <!date^" in message.text.replace("`", "")
    assert context(message).endswith(" · posted for <@U0ADA>")
    assert "command" not in context(message)


def test_metadata_says_how_many_but_not_which() -> None:
    message = blocks.parent(session(), blocks.Ready(digest(command("ls"))), content="metadata", posted_for="U0ADA")
    assert "rails" not in json.dumps(message.blocks) + message.text
    assert " · 1 command · " in context(message)
    assert context(message).endswith("its content stays at Scalingo · posted for <@U0ADA>")


def test_a_detached_session_says_so() -> None:
    assert " · detached · " in context(blocks.parent(session(detached=True), blocks.Ready(digest())))


@pytest.mark.parametrize("started_at", [None, "", "yesterday"])
def test_without_a_time_in_the_log_the_event_s_counts(started_at: str | None) -> None:
    message = blocks.parent(session(), blocks.Ready(digest(started_at=started_at)))
    assert context(message).startswith("<!date^1795454860^")


def test_a_time_without_an_offset_is_utc() -> None:
    message = blocks.parent(session(), blocks.Ready(digest(started_at="2026-11-23T17:27:27")))
    assert context(message).startswith("<!date^1795454847^")


# --- the reply


def test_the_reply_lists_the_commands_with_their_times() -> None:
    message = blocks.commands_reply(
        digest(
            command("bundle exec rails console"),
            command("User.count", "2026-11-23T18:28:00+01:00", "irb"),
            command(MASK, "2026-11-23T18:29:00+01:00", "unknown"),
            secrets_masked=1,
        ),
        posted_for="U0ADA",
    )
    assert literal(message) == (
        "3 commands, times in UTC+01:00\n18:27:32  $ bundle exec rails console\n18:28:00  irb> User.count\n18:29:00  > ••••••"
    )
    assert context(message) == "1 secret masked as •••••• · transcript posted for <@U0ADA>"
    assert message.text == (
        "3 commands, times in UTC+01:00\n`18:27:32  $ bundle exec rails console`\n`18:28:00  irb&gt; User.count`\n`18:29:00  &gt; ••••••`\n"
        "1 secret masked as •••••• · transcript posted for <@U0ADA>"
    )


def test_the_date_is_said_where_it_changes_and_a_doubt_where_there_is_one() -> None:
    message = blocks.commands_reply(
        digest(command("date", "2026-11-23T23:59:59Z"), command("rm *", "2026-11-24T00:00:01Z", sure=False))
    )
    assert literal(message) == "2 commands, times in UTC\n23:59:59    $ date\n── 2026-11-24 ──\n00:00:01  ≈ $ rm *"
    assert context(message).startswith("≈ keys and screen do not agree")


def test_times_of_two_offsets_name_none() -> None:
    message = blocks.commands_reply(
        digest(command("a"), command("b", "2026-11-23T18:28:00+02:00"), command("c", "noon"))
    )
    assert literal(message) == "3 commands\n18:27:32  $ a\n18:28:00  $ b\n--:--:--  $ c"


def test_a_pasted_line_cannot_pass_for_a_row() -> None:
    message = blocks.commands_reply(digest(command("cat <<E\n18:27:33  $ shutdown\nE")))
    assert "\n            18:27:33  $ shutdown\n" in literal(message)


@pytest.mark.parametrize(("content", "where"), [("full", "in the file"), ("commands", "than this message can hold")])
def test_what_does_not_fit_is_counted(content: blocks.Content, where: str) -> None:
    message = blocks.commands_reply(
        digest(*(command(f"echo {number}") for number in range(600)), command_count=4_000), content=content
    )
    check_limits(message)
    told = literal(message)
    shown = len(re.findall(r"\$ echo \d+", told))
    assert shown > 350
    assert f"… and {4_000 - shown:,} more {where}" in told
    shown = message.text.count("$ echo")
    assert shown > 50
    assert f"\n… and {4_000 - shown:,} more {where}" in message.text


def test_long_lines_are_cut_and_say_how_long_they_were() -> None:
    message = blocks.commands_reply(digest(*[command("x" * 9_000)] * 400))
    check_limits(message)
    assert literal(message).count("x… (9,000 characters in all)") > 15


@pytest.mark.parametrize(
    ("content", "told"),
    [("full", "Nothing was typed; what the terminal showed is in the file."), ("commands", "Nothing was typed.")],
)
def test_a_session_of_output_alone(content: blocks.Content, told: str) -> None:
    message = blocks.commands_reply(digest(), content=content)
    assert literal(message) == told
    assert message.text == told


def test_a_subscription_calls_nobody() -> None:
    message = blocks.commands_reply(digest(command("ls")), posted_for="U0BOB", by_subscription=True)
    assert context(message) == "transcript posted for this channel's subscription"
    assert "U0BOB" not in json.dumps(message.blocks)


# --- to one person


def test_the_list_has_a_button_each() -> None:
    older = session(
        audit_log_id=None, audit_log_size=None, started_at=datetime(2026, 11, 22, tzinfo=timezone(timedelta(hours=1)))
    )
    message = blocks.sessions_list("osc-fr1", "my-app", [session(), older], ["one", "two"])
    assert [each["value"] for each in elements(message.blocks, "button")] == ["one", "two"]
    shown = [each["text"]["text"] for each in elements(message.blocks, "section")]
    assert shown[1].startswith("ada ran `rails console`\n<!date^")
    assert shown[1].endswith("> · 122.4 MB · `5dd1aa0c63736300011a0000`")
    assert shown[2].endswith("> · no audit log yet")
    assert message.blocks[1]["accessory"]["accessibility_label"] == "Read the session of ada, 2026-11-23 17:27"


def test_the_list_of_metadata_names_no_command() -> None:
    message = blocks.sessions_list("osc-fr1", "my-app", [session()], ["v"], content="metadata")
    assert "rails" not in json.dumps(message.blocks)


def test_an_app_without_sessions() -> None:
    message = blocks.sessions_list("osc-fr1", "my-app", [], [])
    assert message.text == "my-app has had no one-off container yet, so there is no session to list."


def test_names_that_slack_could_read_more_into_are_code() -> None:
    one = session(app_name="*x*", user_name=":tada:", command="`a`")
    assert blocks.parent(one, blocks.Ready(digest())).text.startswith("`*x*`: `:tada:` ran `ˋaˋ`")


def test_help_has_every_form_of_the_grammar() -> None:
    message = blocks.help_text()
    for form in (
        "my-app ID",
        "my-app last",
        "my-app",
        "subscribe my-app",
        "unsubscribe my-app",
        "subscriptions",
        "help",
    ):
        assert f"`/auditlog {form}`" in message.text
        assert f"/auditlog {form}  " in literal(message)


def test_a_sentence_is_code_between_backticks() -> None:
    message = blocks.sentence("`a` and `b <!here>`, or a lone ` one.")
    (line,) = elements(message.blocks, "rich_text_section")
    assert [each["text"] for each in line["elements"] if "style" in each] == ["a", "b <!here>"]
    assert message.text == "`a` and `b &lt;!here&gt;`, or a lone ` one."


def test_what_is_kept_is_said_in_one_sentence() -> None:
    assert blocks.held("my-app", blocks.NOT_IN_CHANNEL) == (
        "I am not in this channel: invite me with `/invite` and I will go on; the session of `my-app` is kept for 72 hours and "
        "follows by itself."
    )


# --- subscriptions


def test_the_completeness_line() -> None:
    message = blocks.subscriptions(
        [(Subscription(), Count()), (Subscription(app_name="shop"), Count(1, 0, 0, 1)), (Subscription(), None)]
    )
    assert "my-app (osc-fr1): 14 run events, 14 read, 0 without a log · subscribed by @U0BOB" in literal(message)
    assert "shop (osc-fr1): 1 run event, 0 read, 0 without a log, 1 to come" in literal(message)
    assert "Scalingo does not answer, so I can't count" in literal(message)
    assert message.text.startswith(
        "3 subscriptions of this channel, last 7 days · my-app: 14 run events, 14 read, 0 without a log"
    )


def test_the_weekly_message_calls_nobody() -> None:
    message = blocks.weekly([(Subscription(), Count())])
    assert "my-app (osc-fr1): 14 run events, 14 read, 0 without a log" in literal(message)
    assert "U0BOB" not in json.dumps(message.blocks)


def test_a_channel_without_subscriptions() -> None:
    assert "`/auditlog subscribe my-app`" in blocks.subscriptions([]).text


def test_subscribing_says_what_is_missing() -> None:
    assert blocks.subscribed("my-app", new=True, webhook="", in_channel=True, every_s=60).text == (
        "This channel now gets every new session of `my-app`."
    )
    said = blocks.subscribed("my-app", new=False, webhook="PUBLIC_URL is not set", in_channel=False, every_s=0.5).text
    assert said.startswith(
        "This channel gets already every new session of `my-app`; Scalingo can't tell me of them at once"
    )
    assert said.endswith("so I look for them every 0.5 s; I am not in this channel, so invite me with `/invite`.")


# --- words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "under 1 s"),
        (0.2, "under 1 s"),
        (6.495, "6 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (3_600, "1 h"),
        (7_805, "2 h 10 min"),
        (86_400 + 61, "1 d"),
        (3 * 86_400 + 4 * 3_600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert blocks.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (709, "709 bytes"),
        (5_000, "5 kB"),
        (999_600, "1.0 MB"),
        (122_445_385, "122.4 MB"),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert blocks.size(count) == words


def test_the_file_is_named_after_app_time_and_event() -> None:
    assert blocks.file_name(session()) == "my-app-2026-11-23-1727-011a0000.txt"
