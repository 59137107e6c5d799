"""What Slack is told, as pure functions of our own values: nothing that somebody typed comes alive in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import quote

from bot.literal import shortened, visible
from bot.session import Session
from bot.slack.kit import (
    BUDGET,
    NAME_LIMIT,
    TEXT_LIMIT,
    Block,
    Element,
    actions,
    bold,
    bullets,
    button,
    code,
    context,
    escaped,
    escaped_code,
    escaped_name,
    joined,
    line,
    link,
    mrkdwn,
    plain,
    preformatted,
    prose,
    rich,
    user,
    within,
)
from bot.slack.message import Message

if TYPE_CHECKING:
    from bot.digest import Command, Digest

READ_SESSION = "read_session"
POST_AGAIN = "post_again"

Content = Literal["full", "commands", "metadata"]

# One line of JSON with all of its characters escaped stays under the budget of a message.
_COMMAND_LIMIT = 500
_COMMAND_IN_A_TITLE_LIMIT = 150
# Slack names no limit for literal text; a section's is 3,000.
_PREFORMATTED_LIMIT = 2_900
_REPLY_TEXT_BUDGET = 2_400
_LISTED_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """It runs, or its audit log is not there yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    digest: Digest


@dataclass(frozen=True, slots=True)
class Empty:
    """An audit log without a record."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Given up; `sentence` says why and what to do."""

    sentence: str


State = Waiting | Ready | Empty | Failed


# --- a session's thread


def parent(
    session: Session,
    state: State,
    *,
    content: Content = "full",
    posted_for: str = "",
    by_subscription: bool = False,
) -> Message:
    """What a person reads in three seconds: app, who, which command, when, how long, how many commands."""
    command = session.command if content != "metadata" else ""
    facts = [_when(_started_at(session, state)), *_counts(state), *(["detached"] if session.detached else [])]
    facts += [escaped(session.key.region), _dashboard(session.key.region, session.app_name)]
    if content == "metadata":
        facts.append("its content stays at Scalingo")
    if content == "metadata" or not isinstance(state, Ready):
        # No reply will say it.
        facts += _posted_for("posted", posted_for, by_subscription=by_subscription)
    told = _told(state)
    app, what = escaped_name(_name(session.app_name)), _what_escaped(command)
    return Message(
        text=joined(f"{app}: {escaped_name(_who(session))} ran {what}", escaped(told), *facts),
        blocks=[
            rich(line(bold(_name(session.app_name)), plain(f": {_who(session)} ran "), _what(command))),
            *([rich(line(*prose(told)))] if told else []),
            context(*facts),
        ],
    )


def commands_reply(
    digest: Digest, *, content: Content = "full", posted_for: str = "", by_subscription: bool = False
) -> Message:
    """As many of the typed commands as one message holds, and how many more there are."""
    in_file = content == "full"
    rows = list(within(BUDGET, _rows(digest.commands)))
    unsure = any(not command.sure for command in digest.commands[: len(rows)])
    notes = [
        *([f"{_UNSURE} keys and screen do not agree: the line may have been another"] if unsure else []),
        *([f"{plural(digest.secrets_masked, 'secret')} masked as ••••••"] if digest.secrets_masked else []),
        *_posted_for("transcript posted" if in_file else "posted", posted_for, by_subscription=by_subscription),
    ]
    title, more = _title(digest, in_file=in_file), _more(digest, len(rows), in_file=in_file)
    return Message(
        text=_reply_text(digest, rows, notes, in_file=in_file),
        blocks=[
            rich(line(*title), *map(preformatted, _chunks(rows)), *([line(plain(more))] if more else [])),
            *([context(*notes)] if notes else []),
        ],
    )


def file_name(session: Session) -> str:
    """Of ASCII letters, digits and hyphens alone: `my-app-2026-11-23-1727-011a0000.txt`."""
    app = re.sub(r"[^a-z0-9]+", "-", session.app_name.lower()).strip("-")[:64] or "session"
    event = re.sub(r"[^A-Za-z0-9]", "", session.key.event_id)[-8:] or "run"
    return f"{app}-{session.started_at:%Y-%m-%d-%H%M}-{event}.txt"


def _who(session: Session) -> str:
    return (
        "a Scalingo operator" if session.by_operator else _name(session.user_name or session.user_email or "somebody")
    )


def _what(command: str) -> Element:
    return code(shortened(visible(command), _COMMAND_IN_A_TITLE_LIMIT)) if command else plain("a one-off container")


def _what_escaped(command: str) -> str:
    return escaped_code(command, _COMMAND_IN_A_TITLE_LIMIT) if command else "a one-off container"


def _told(state: State) -> str:
    match state:
        case Waiting():
            return "It is still running, or its audit log is not there yet: the thread follows."
        case Empty():
            return "Its audit log is empty: nothing was typed and nothing was shown."
        case Failed(sentence=told):
            return shortened(told, 500)
        case Ready():
            return ""


def _counts(state: State) -> list[str]:
    match state:
        case Ready(digest=digest):
            return [duration(digest.duration_s), plural(digest.command_count, "command")]
        case _:
            return []


def _started_at(session: Session, state: State) -> datetime:
    """The run event may come at the session's end: where the log is read, its first record is the start."""
    try:
        started_at = datetime.fromisoformat((state.digest.started_at or "") if isinstance(state, Ready) else "")
    except ValueError:
        return session.started_at
    return started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC)


def _when(at: datetime) -> str:
    """In the time zone of whoever reads it."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>"


def _posted_for(what: str, user_id: str, *, by_subscription: bool) -> list[str]:
    if by_subscription:
        # No mention: it would call whoever subscribed at every session.
        return [f"{what} for this channel's subscription"]
    return [f"{what} for <@{escaped(user_id)}>"] if user_id else []


# --- its commands

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
_PROMPTS = {"shell": "$", "unknown": ">"}
_UNSURE = "≈"


def _title(digest: Digest, *, in_file: bool) -> list[Element]:
    if not digest.command_count:
        return [plain(f"Nothing was typed{'; what the terminal showed is in the file' if in_file else ''}.")]
    zones = {match[3] for command in digest.commands if (match := _RFC_3339.fullmatch(command.time))}
    title = bold(plural(digest.command_count, "command"))
    if len(zones) != 1:
        return [title]
    zone = zones.pop()
    return [title, plain(f", times in UTC{'' if zone in {'Z', '+00:00', '-00:00'} else zone}")]


def _more(digest: Digest, shown: int, *, in_file: bool) -> str:
    more = digest.command_count - shown
    return f"… and {more:,} more {'in the file' if in_file else 'than this message can hold'}" if more else ""


def _reply_text(digest: Digest, rows: Sequence[str], notes: Sequence[str], *, in_file: bool) -> str:
    """Stands alone as well, for Slack may refuse the blocks."""
    shown = list(within(_REPLY_TEXT_BUDGET, (escaped_code(row, _COMMAND_IN_A_TITLE_LIMIT) for row in rows)))
    title = "".join(each["text"] for each in _title(digest, in_file=in_file))
    return "\n".join(filter(None, (title, *shown, _more(digest, len(shown), in_file=in_file), " · ".join(notes))))


def _rows(commands: Sequence[Command]) -> Iterator[str]:
    """One a command, with the log's own time of day; where its date changes, a line above says so."""
    marked = not all(command.sure for command in commands)
    before = None
    for command in commands:
        match = _RFC_3339.fullmatch(command.time)
        date, time = (match[1], match[2]) if match else (before, "--:--:--")
        new_day = f"── {date} ──\n" if before not in {None, date} else ""
        mark = (" " if command.sure else _UNSURE) + " " if marked else ""
        yield new_day + _row(command, f"{time}  {mark}")
        before = date


def _row(command: Command, start: str) -> str:
    start += _PROMPTS.get(command.program, f"{shortened(visible(command.program), 20)}>") + " "
    # What goes on in further lines is indented, so that a pasted line cannot pass for a row of its own.
    lines = ("\n" + " " * len(start)).join(map(visible, command.text.expandtabs(4).split("\n")))
    whole = len(lines) <= _COMMAND_LIMIT
    return start + (lines if whole else f"{lines[:_COMMAND_LIMIT]}… ({len(command.text):,} characters in all)")


def _chunks(rows: Iterable[str]) -> Iterator[str]:
    chunk = ""
    for row in rows:
        if chunk and len(chunk) + len(row) >= _PREFORMATTED_LIMIT:
            yield chunk
            chunk = ""
        chunk = f"{chunk}\n{row}" if chunk else row
    if chunk:
        yield chunk


# --- to one person

ARCHIVED_CHANNEL = "This channel is archived: unarchive it and I will go on."
NOT_IN_CHANNEL = "I am not in this channel: invite me with `/invite` and I will go on."
NO_PUBLIC_URL = "PUBLIC_URL is not set"
RIGHT_LOST = "whoever subscribed it may no longer read the app's sessions"
APP_GONE = "Scalingo no longer shows me that app, so it was deleted or given to somebody else"


def sentence(text: str) -> Message:
    """A sentence of ours, an error's for instance; what stands between backticks is code."""
    text = shortened(text, TEXT_LIMIT)
    return Message(text=escaped(text), blocks=[rich(line(*prose(text)))])


def help_text() -> Message:
    items = [line(code(form), plain(f"  {meaning}")) for form, meaning in _GRAMMAR]
    return Message(
        text="\n".join((escaped(_INTRODUCTION), *(f"`{form}` {meaning}" for form, meaning in _GRAMMAR))),
        blocks=[rich(line(plain(_INTRODUCTION)), bullets(items), line(*prose(_REGIONS))), context(_WHO_MAY)],
    )


_INTRODUCTION = (
    "I bring Scalingo's audit logs here: what was typed in a one-off container, and what its terminal showed."
)
_GRAMMAR = (
    ("/auditlog my-app", "lists the newest sessions, each with a button"),
    ("/auditlog my-app last", "brings the newest session"),
    ("/auditlog my-app ID", "brings one session, by its audit log id"),
    ("/auditlog subscribe my-app", "brings every new session of my-app to this channel"),
    ("/auditlog unsubscribe my-app", "ends that"),
    ("/auditlog subscriptions", "lists this channel's, and whether any session is missing"),
    ("/auditlog help", "shows this"),
)
_REGIONS = "An app of another region is written `osc-secnum-fr1/my-app`; `--app` and `--region` work as in Scalingo's own client."
_WHO_MAY = (
    "Sessions are for the app's owner and its collaborators with full rights: the e-mail address of your Slack profile tells me who "
    "you are."
)


def sessions_list(
    region: str, app_name: str, sessions: Sequence[Session], values: Sequence[str], *, content: Content = "full"
) -> Message:
    """The newest first; `values` are those of their buttons."""
    name, page = escaped_name(_name(app_name)), _dashboard(region, app_name)
    if not sessions:
        told = f"{name} has had no one-off container yet, so there is no session to list"
        return Message(text=f"{told}.", blocks=[mrkdwn(f"{told}. {page}")])
    listed = (
        _listed(session, value, content) for session, value in zip(sessions[:_LISTED_AT_MOST], values, strict=False)
    )
    title = mrkdwn(f"*Newest sessions of {name}* · {escaped(region)} · {page}")
    return Message(text=f"Newest sessions of {name}", blocks=list(within(BUDGET, chain((title,), listed))))


def _listed(session: Session, value: str, content: Content) -> Block:
    command = session.command if content != "metadata" else ""
    facts = [_when(session.started_at)]
    if session.audit_log_size is not None:
        facts.append(size(session.audit_log_size))
    facts.append(escaped_code(session.audit_log_id, 128) if session.audit_log_id else "no audit log yet")
    label = f"Read the session of {_who(session)[:40]}, {session.started_at:%Y-%m-%d %H:%M}"
    block = mrkdwn(f"{escaped_name(_who(session))} ran {_what_escaped(command)}\n{' · '.join(facts)}")
    return block | {"accessory": button("Read", READ_SESSION, value, label)}


def already_here(app_name: str, permalink: str, again: str) -> Message:
    """`again` is the value of the button that posts the session anew."""
    told = f"This session of {_name(app_name)} is in this channel already: "
    return Message(
        text=f"{escaped(told)}<{escaped(permalink)}|its thread>.",
        blocks=[
            rich(line(plain(told), link(permalink, "its thread"), plain("."))),
            actions(button("Post it again", POST_AGAIN, again, "Post this session again")),
        ],
    )


def on_its_way(app_name: str) -> Message:
    return sentence(f"That session of {_quoted(app_name)} is on its way to this channel already.")


def progress(app_name: str, done_bytes: int) -> Message:
    """Replaced while a long audit log is fetched and read."""
    told = f"{size(done_bytes)} of its audit log so far" if done_bytes else "its audit log is being fetched"
    return sentence(f"The session of {_quoted(app_name)} is on its way: {told}.")


def still_asking(error: str) -> Message:
    return sentence(f"{_clause(error)}; I keep trying, and answer here.")


def still_trying(app_name: str, error: str) -> str:
    return f"{_clause(error)}; I keep trying, and the session of {_quoted(app_name)} follows by itself."


def held(app_name: str, error: str) -> str:
    return f"{_clause(error)}; the session of {_quoted(app_name)} is kept for 72 hours and follows by itself."


def expired(app_name: str, channel: str, audit_log_id: str | None) -> Message:
    """To the person alone, days later: the channel is named as Slack's own link."""
    again = f"`/auditlog {app_name} {audit_log_id}`" if audit_log_id else f"`/auditlog {app_name}`"
    told = sentence(
        f"A session of {_quoted(app_name)} was kept for 72 hours and could not be posted in this channel: invite me there, "
        f"and ask again with {again}."
    )
    where = {"type": "channel", "channel_id": channel}
    return Message(told.text, [rich({"type": "rich_text_section", "elements": [where]}), *told.blocks])


def fault_of_ours(ask_id: int) -> str:
    return f"Something failed here that should not: whoever runs this bot finds it in its log as ask {ask_id}."


def _clause(text: str) -> str:
    return text.rstrip().removesuffix(".")


# --- subscriptions


class Subscribed(Protocol):
    @property
    def region(self) -> str: ...
    @property
    def app_name(self) -> str: ...
    @property
    def user(self) -> str: ...


class Counted(Protocol):
    """What Scalingo lists, and what came of it."""

    @property
    def run_events(self) -> int: ...
    @property
    def read(self) -> int: ...
    @property
    def without_log(self) -> int: ...
    @property
    def owed(self) -> int: ...


def subscribed(app_name: str, *, new: bool, webhook: str, in_channel: bool, every_s: float) -> Message:
    """`webhook` says why there is none; then sessions are found by polling alone."""
    told = f"This channel {'now gets' if new else 'gets already'} every new session of {_quoted(app_name)}"
    if webhook:
        told += f"; Scalingo can't tell me of them at once ({_clause(webhook)}), so I look for them every {every_s:g} s"
    if not in_channel:
        told += "; I am not in this channel, so invite me with `/invite`"
    return sentence(f"{told}.")


def unsubscribed(app_name: str) -> Message:
    return sentence(f"This channel no longer gets the sessions of {_quoted(app_name)}.")


def subscriptions(counted: Sequence[tuple[Subscribed, Counted | None]], *, hidden: int = 0) -> Message:
    """Those of one channel, with the line that says whether any session is missing; None where Scalingo can't be asked.

    `hidden` are of apps that are not named to whoever asks.
    """
    if hidden and not counted:
        return sentence(f"This channel has {plural(hidden, 'subscription')}, of apps whose sessions you may not read.")
    if not counted:
        return sentence("This channel has no subscription: `/auditlog subscribe my-app` makes one.")
    title = f"{plural(len(counted), 'subscription')} of this channel, last 7 days"
    if hidden:
        title += f" (and {hidden:,} of apps whose sessions you may not read)"
    return _completeness(title, counted, with_user=True)


def weekly(counted: Sequence[tuple[Subscribed, Counted | None]]) -> Message:
    # No user in it: a mention would call that person every week.
    return _completeness("Run events of the last 7 days", counted, with_user=False)


def _completeness(title: str, counted: Sequence[tuple[Subscribed, Counted | None]], *, with_user: bool) -> Message:
    items = list(within(BUDGET, (_followed(each, count, with_user=with_user) for each, count in counted)))
    more = len(counted) - len(items)
    return Message(
        text=joined(title, *(f"{escaped_name(_name(each.app_name))}: {_tally(count)}" for each, count in counted)),
        blocks=[rich(line(bold(title)), bullets(items), *([line(plain(f"… and {more:,} more"))] if more else []))],
    )


def _followed(subscription: Subscribed, count: Counted | None, *, with_user: bool) -> Element:
    facts = plain(f" ({subscription.region}): {_tally(count)}")
    by = [plain(" · subscribed by "), user(subscription.user)] if with_user and subscription.user else []
    return line(bold(_name(subscription.app_name)), facts, *by)


def _tally(count: Counted | None) -> str:
    if count is None:
        return "Scalingo does not answer, so I can't count"
    owed = f", {count.owed:,} to come" if count.owed else ""
    return f"{plural(count.run_events, 'run event')}, {count.read:,} read, {count.without_log:,} without a log{owed}"


# --- words


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """The two largest units: `6 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    rest = max(0, round(seconds))
    parts = []
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        parts.append((rest // unit_s, unit))
        rest %= unit_s
    first = next((index for index, (count, _) in enumerate(parts) if count), None)
    if first is None:
        return "under 1 s"
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def size(count: int) -> str:
    if count < 1_000:
        return plural(count, "byte")
    return f"{count / 1_000:.0f} kB" if count < 999_500 else f"{count / 1_000_000:,.1f} MB"


def activity_url(region: str, app_name: str) -> str:
    return f"https://dashboard.scalingo.com/apps/{quote(region, safe='')}/{quote(_name(app_name), safe='')}/activity"


def _dashboard(region: str, app_name: str) -> str:
    return f"<{activity_url(region, app_name)}|Dashboard>"


def _name(text: str) -> str:
    return shortened(visible(text), NAME_LIMIT) or "unnamed"


def _quoted(name: str) -> str:
    return f"`{_name(name).replace('`', 'ˋ')}`"
