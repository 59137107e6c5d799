"""What Slack is told, as pure functions of our own values.

Whatever somebody else wrote (a command, a user's name) stands in `rich_text` elements, which Slack shows letter by letter. The
few `mrkdwn` texts hold words of ours, escaped; `text`, for notifications and screen readers, has what was typed as code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

from bot.literal import shortened, visible
from bot.session import Session
from bot.slack.message import Message
from bot.slack.request import AppRef

READ_SESSION = "read_session"
POST_AGAIN = "post_again"

# Slack refuses a message whose blocks sum up to about 13,000 characters, and counts in a way that it does not tell: these are
# characters of JSON with everything but ASCII escaped, the longest form there is.
_BUDGET = 10_000
_PREFORMATTED_LIMIT = 2_900
_COMMAND_LIMIT = 500
_COMMAND_IN_A_LINE_LIMIT = 150
_NAME_LIMIT = 80
_TEXT_LIMIT = 1_000
_LISTED_AT_MOST = 20

Content = Literal["full", "commands", "metadata"]
Part = TypeVar("Part")
Block = dict[str, Any]
Element = dict[str, Any]


class TypedCommand(Protocol):
    """A command of a digest; `time` is RFC 3339, as it is in the log."""

    @property
    def time(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def program(self) -> str: ...
    @property
    def sure(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """It runs, or its audit log is not there yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """`started_at` is that of the log's first record, RFC 3339."""

    commands: int
    duration_s: float
    started_at: str | None = None


@dataclass(frozen=True, slots=True)
class Empty:
    """An audit log without a record."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Given up; `sentence` says why and what to do."""

    sentence: str


State = Waiting | Ready | Empty | Failed


@dataclass(frozen=True, slots=True)
class PostedFor:
    """Who asked for a session (a Slack user id), at once or by subscribing the channel."""

    user: str
    subscribed: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """A subscription with the count of its app's run events since `since`; `problem` is a sentence."""

    app: AppRef
    user: str
    events: int
    read: int
    without_log: int
    waiting: int = 0
    failed: int = 0
    problem: str = ""


# The thread ------------------------------------------------------------------------------------------------------------------


def parent(
    session: Session, state: State, *, content: Content = "full", posted_for: PostedFor | None = None
) -> Message:
    """What a person reads in three seconds. `posted_for` is said here where no reply will say it."""
    command = session.command if content != "metadata" else ""
    app = AppRef(session.key.region, session.app_name)
    headline = [_bold(_name(session.app_name)), _plain(f": {_who(session)} ran "), *_what(command)]
    told = _told(state)
    facts = [_when(_started_at(session, state)), *_counts(state), *(["detached"] if session.detached else [])]
    facts += [escaped(app.region), f"<{activity_url(app)}|Dashboard>"]
    if content == "metadata":
        facts.append("content stays at Scalingo")
    if posted_for is not None:
        facts.append(_posted_for("posted", posted_for))
    return Message(
        text=_joined(
            f"{in_text(session.app_name)}: {in_text(_who(session))} ran {_what_in_text(command)}", told, *_counts(state)
        ),
        blocks=[
            _rich(_section(*headline)),
            *([_rich(_section(*prose(told)))] if told else []),
            _context(" · ".join(facts)),
        ],
    )


def commands_reply(
    commands: Sequence[TypedCommand],
    *,
    total: int,
    session: Session,
    posted_for: PostedFor | None = None,
    masked: int = 0,
    content: Content = "full",
) -> Message:
    """As many of `commands`, the first of `total`, as one message holds; `masked` counts the secrets of the whole session."""
    rows = list(_within(_BUDGET, _rows(commands)))
    unsure = any(not command.sure for command in commands[: len(rows)])
    elements = [
        _section(*_title(commands, total, content)),
        *({"type": "rich_text_preformatted", "elements": [_plain(chunk)]} for chunk in _chunks(rows)),
    ]
    if len(rows) < total:
        where = "in the file" if content == "full" else "that this message cannot hold"
        elements.append(_section(_plain(f"… and {total - len(rows):,} more {where}")))
    notes = [
        *(["`≈` the keys and the screen do not agree: the line may have been another"] if unsure else []),
        *([f"{plural(masked, 'secret')} masked as ••••••"] if masked else []),
        *([_posted_for("transcript posted" if content == "full" else "posted", posted_for)] if posted_for else []),
    ]
    return Message(
        text=_commands_text(commands, total, session),
        blocks=[_rich(*elements), *([_context(" · ".join(notes))] if notes else [])],
    )


def file_name(session: Session) -> str:
    """Of ASCII letters, digits and hyphens alone: `my-app-2026-11-23-1727-54dcdd4a.txt`."""
    app = re.sub(r"[^a-z0-9]+", "-", session.app_name.lower()).strip("-")[:64] or "session"
    event = re.sub(r"[^A-Za-z0-9]", "", session.key.event_id)[-8:]
    return f"{app}-{session.started_at:%Y-%m-%d-%H%M}-{event or 'run'}.txt"


def file_title(session: Session) -> str:
    return f"{_name(session.app_name)}, {session.started_at:%Y-%m-%d %H:%M}: what the terminal showed"


# To one person ---------------------------------------------------------------------------------------------------------------


def sentence(text: str) -> Message:
    """A sentence of ours, of an error for instance; `backticks` in it make code."""
    text = shortened(text, _TEXT_LIMIT)
    return Message(text=escaped(text), blocks=[_rich(_section(*prose(text)))])


def help_text(hint: str = "") -> Message:
    intro = "I bring Scalingo's audit logs here: what was typed in a one-off container, and what its terminal showed."
    items = [_section(_code(form), _plain(f"  {meaning}")) for form, meaning in _GRAMMAR]
    return Message(
        text=escaped("\n".join((hint or intro, *(f"`{form}` {meaning}" for form, meaning in _GRAMMAR)))),
        blocks=[
            _rich(
                *([_section(*prose(f"{hint}\n\n"))] if hint else []),
                _section(_plain(intro)),
                {"type": "rich_text_list", "style": "bullet", "elements": items},
                _section(*prose(_REGIONS)),
            ),
            _context(_WHO_MAY),
        ],
    )


_GRAMMAR = (
    ("/auditlog my-app", "the newest sessions, each with a button"),
    ("/auditlog my-app last", "the newest session"),
    ("/auditlog my-app ID", "one session, by its audit log id"),
    ("/auditlog subscribe my-app", "this channel gets every new session of my-app"),
    ("/auditlog unsubscribe my-app", "no longer"),
    ("/auditlog subscriptions", "what this channel is subscribed to, and whether any session is missing"),
    ("/auditlog help", "this"),
)
_REGIONS = "An app of another region goes with it: `osc-secnum-fr1/my-app`. The flags of Scalingo's own client work too: `--app`, `--region`."
_WHO_MAY = "Sessions are for the app's owner and its collaborators who are not limited; the e-mail address of your Slack profile says who you are."


def sessions_list(app: AppRef, sessions: Sequence[tuple[Session, str | None]]) -> Message:
    """The newest first, each with the value of its button; None where there is no audit log to read."""
    page = f"<{activity_url(app)}|Dashboard>"
    if not sessions:
        told = f"{in_text(app.name)} has had no one-off container yet, so there is no session to read"
        return Message(text=f"{told}.", blocks=[_mrkdwn(f"{told}. {page}")])
    title = f"Newest sessions of {in_text(app.name)}"
    listed = _within(_BUDGET, (_listed(session, value) for session, value in sessions[:_LISTED_AT_MOST]))
    return Message(text=title, blocks=[_mrkdwn(f"*{title}* · {escaped(app.region)} · {page}"), *listed])


def already_here(permalink: str, again: str) -> Message:
    """`again` is the value of the button that posts the session anew."""
    return Message(
        text=f"This session is in this channel already: <{escaped(permalink)}|its thread>.",
        blocks=[
            _rich(
                _section(
                    _plain("This session is in this channel already: "),
                    {"type": "link", "url": permalink, "text": "its thread"},
                    _plain("."),
                )
            ),
            {"type": "actions", "elements": [_button("Post it again", POST_AGAIN, again, "Post the session again")]},
        ],
    )


def cannot_post(reason: str, bot_user: str, *, kept: bool = True) -> Message:
    """`reason` is Slack's error code; `kept`: the session is posted by itself once it can be."""
    follows = "; the thread follows by itself if that is within 72 hours" if kept else ""
    match reason:
        case "not_in_channel" | "channel_not_found":
            fault, remedy = "I am not in this channel, so I can't post here: invite ", follows
            elements = [_plain(fault), {"type": "user", "user_id": bot_user}, _plain(f"{remedy}.")]
            return Message(text=f"{fault}<@{escaped(bot_user)}>{remedy}.", blocks=[_rich(_section(*elements))])
        case "is_archived":
            return sentence(f"This channel is archived, so I can't post here: unarchive it{follows}.")
        case _:
            return sentence(
                f"Slack does not let me post here (`{reason}`): ask an admin of the workspace to allow it{follows}."
            )


def progress(app_name: str, done_bytes: int, total_bytes: int | None) -> Message:
    """One message that is replaced until the thread is there. Sizes are those of the audit log."""
    told = f"Fetching the audit log of {_name(app_name)}: {size(done_bytes)}"
    if total_bytes:
        tenths = min(done_bytes * 10 // total_bytes, 10)
        told += f" of {size(total_bytes)}  {'▰' * tenths}{'▱' * (10 - tenths)}"
    return sentence(told)


# Subscriptions ---------------------------------------------------------------------------------------------------------------


def subscribed(app: AppRef, user: str) -> Message:
    """Said in the channel: everybody there will see the sessions."""
    told = f" subscribed this channel to {_name(app.name)} ({app.region}): every new session appears here as a thread."
    return Message(
        text=f"<@{escaped(user)}>{escaped(told)}",
        blocks=[_rich(_section({"type": "user", "user_id": user}, _plain(told)))],
    )


def subscriptions(followed: Sequence[Followed], *, days: int = 7) -> Message:
    """Those of one channel, with the line that says whether any session is missing."""
    if not followed:
        return sentence("This channel has no subscription: `/auditlog subscribe my-app` makes one.")
    title = f"{plural(len(followed), 'subscription')} of this channel, last {plural(days, 'day')}"
    return _completeness(title, followed, with_user=True)


def weekly(followed: Sequence[Followed]) -> Message:
    # No user in it: a mention would call that person every week.
    return _completeness("Run events of the last 7 days", followed, with_user=False)


def counted(followed: Followed) -> str:
    """`14 run events, 14 read, 0 without a log`: what Scalingo lists against what became of it."""
    rest = ((followed.waiting, "waiting"), (followed.failed, "failed"))
    return ", ".join(
        (
            plural(followed.events, "run event"),
            f"{followed.read:,} read",
            f"{followed.without_log:,} without a log",
            *(f"{count:,} {what}" for count, what in rest if count),
        )
    )


def _completeness(title: str, followed: Sequence[Followed], *, with_user: bool) -> Message:
    items = list(_within(_BUDGET, (_followed(each, with_user=with_user) for each in followed)))
    more = len(followed) - len(items)
    return Message(
        text=_joined(title, *(f"{in_text(each.app.name)}: {counted(each)}" for each in followed)),
        blocks=[
            _rich(
                _section(_bold(title)),
                {"type": "rich_text_list", "style": "bullet", "elements": items},
                *([_section(_plain(f"… and {more:,} more"))] if more else []),
            )
        ],
    )


def _followed(followed: Followed, *, with_user: bool) -> Element:
    elements = [_bold(_name(followed.app.name)), _plain(f" ({followed.app.region}): {counted(followed)}")]
    if with_user:
        elements += [_plain(", subscribed by "), {"type": "user", "user_id": followed.user}]
    if followed.problem:
        elements += [_plain(". "), *prose(shortened(followed.problem, 200))]
    return _section(*elements)


# Words -----------------------------------------------------------------------------------------------------------------------


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """The two largest units: `6 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`."""
    rest = max(0, round(seconds))
    if rest == 0:
        return "under 1 s"
    parts = []
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        parts.append((rest // unit_s, unit))
        rest %= unit_s
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def size(count: int) -> str:
    """Decimal units, as Scalingo's dashboard and people's disks have them."""
    if count < 1_000:
        return plural(count, "byte")
    return f"{count / 1_000:.0f} kB" if count < 999_500 else f"{count / 1_000_000:,.1f} MB"


def activity_url(app: AppRef) -> str:
    return f"https://dashboard.scalingo.com/apps/{quote(app.region, safe='')}/{quote(app.name, safe='')}/activity"


def escaped(text: str) -> str:
    """For `mrkdwn`: a recorded `<!channel>` pings nobody."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def in_text(text: str) -> str:
    """For `text`, which knows no literal: as it is where it is a plain name, else as code."""
    text = _name(text)
    return text if _PLAIN_NAME.fullmatch(text) else _code_in_text(text)


def prose(text: str) -> list[Element]:
    """Our own sentence in literal elements; what stands between backticks is code."""
    parts = text.split("`")
    # A backtick without its fellow is a backtick.
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    told, codes = parts[::2], parts[1::2]
    pairs = zip_longest(told, codes, fillvalue="")
    return [each for plain, code in pairs for each in (_plain(plain), _code(code)) if each["text"]]


_PLAIN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 _-]*[A-Za-z0-9])?")


def _name(text: str) -> str:
    return shortened(visible(text), _NAME_LIMIT) or "unnamed"


def _who(session: Session) -> str:
    return (
        "a Scalingo operator" if session.by_operator else _name(session.user_name or session.user_email or "somebody")
    )


def _what(command: str) -> list[Element]:
    return [_code(shortened(visible(command), _COMMAND_IN_A_LINE_LIMIT)) if command else _plain("a one-off container")]


def _what_in_text(command: str) -> str:
    return _code_in_text(shortened(visible(command), _COMMAND_IN_A_LINE_LIMIT)) if command else "a one-off container"


def _code_in_text(text: str) -> str:
    return f"`{escaped(text).replace('`', 'ˋ')}`"


def _joined(first: str, *others: str) -> str:
    """Parts that were escaped one by one: cut between them, for a cut inside could leave half an entity."""
    text = first
    for other in filter(None, others):
        if len(text) + len(other) > _TEXT_LIMIT:
            return f"{text} …"
        text = f"{text} · {other}"
    return text


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
    return [duration(state.duration_s), plural(state.commands, "command")] if isinstance(state, Ready) else []


def _started_at(session: Session, state: State) -> datetime:
    """The run event may come at the session's end: where the log is read, its first record is the start."""
    if not isinstance(state, Ready) or state.started_at is None:
        return session.started_at
    try:
        started_at = datetime.fromisoformat(state.started_at)
    except ValueError:
        return session.started_at
    return started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC)


def _when(at: datetime) -> str:
    """In the time zone of whoever reads it."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} at {{time}}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>"


def _posted_for(what: str, posted_for: PostedFor) -> str:
    return f"{what} for <@{escaped(posted_for.user)}>{', who subscribed this channel' if posted_for.subscribed else ''}"


# A session's commands --------------------------------------------------------------------------------------------------------

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


def _title(commands: Sequence[TypedCommand], total: int, content: Content) -> list[Element]:
    if not total:
        shown = "; what the terminal showed is in the file." if content == "full" else "."
        return [_plain(f"Nothing was typed{shown}")]
    offsets = {match[3] for command in commands if (match := _RFC_3339.fullmatch(command.time))}
    zone = offsets.pop() if len(offsets) == 1 else None
    in_utc = zone in {"Z", "+00:00", "-00:00"}
    return [_bold(plural(total, "command")), *([_plain(f", times in UTC{'' if in_utc else zone}")] if zone else [])]


def _rows(commands: Iterable[TypedCommand]) -> Iterator[str]:
    """One a command; where the date changes, a line above says so."""
    before = None
    for command in commands:
        match = _RFC_3339.fullmatch(command.time)
        date, time = (match[1], match[2]) if match else (before, "--:--:--")
        new_day = f"── {date} ──\n" if before not in {None, date} else ""
        yield new_day + _row(command, time)
        before = date


def _row(command: TypedCommand, time: str) -> str:
    prompt = {"shell": "$", "unknown": ">"}.get(command.program, f"{_name(command.program)[:20]}>")
    start = f"{time} {' ' if command.sure else '≈'} {prompt} "
    # What goes on in further lines is indented, so that a pasted line cannot pass for a row of its own.
    lines = [visible(line) for line in command.text.expandtabs(4).split("\n")]
    return start + _cut(("\n" + " " * len(start)).join(lines))


def _cut(text: str) -> str:
    if len(text) <= _COMMAND_LIMIT:
        return text
    return f"{text[:_COMMAND_LIMIT]}… ({len(text) - _COMMAND_LIMIT:,} more characters)"


def _within(budget: int, parts: Iterable[Part]) -> Iterator[Part]:
    """The first parts whose JSON stays under `budget` characters together."""
    for part in parts:
        budget -= len(json.dumps(part)) + len(", ")
        if budget < 0:
            return
        yield part


def _chunks(rows: Iterable[str]) -> Iterator[str]:
    chunk = ""
    for row in rows:
        if chunk and len(chunk) + len(row) >= _PREFORMATTED_LIMIT:
            yield chunk
            chunk = ""
        chunk = f"{chunk}\n{row}" if chunk else row
    if chunk:
        yield chunk


def _commands_text(commands: Sequence[TypedCommand], total: int, session: Session) -> str:
    title = f"{plural(total, 'command')} on {in_text(session.app_name)}" if total else "Nothing was typed"
    typed = (shortened(visible(command.text), _COMMAND_IN_A_LINE_LIMIT) for command in commands[:50])
    return _joined(title, *(_code_in_text(text) for text in typed))


# Blocks ----------------------------------------------------------------------------------------------------------------------


def _listed(session: Session, value: str | None) -> Block:
    what = f"{in_text(_who(session))} ran {_what_in_text(session.command)}"
    facts = [_when(session.started_at)]
    if session.audit_log_size is not None:
        facts.append(size(session.audit_log_size))
    facts.append(_code_in_text(session.audit_log_id) if session.audit_log_id else "no audit log yet")
    block = _mrkdwn(f"{what}\n{' · '.join(facts)}")
    if value is not None:
        label = shortened(f"Read the session of {_who(session)}, {session.started_at:%Y-%m-%d %H:%M}", 75)
        block["accessory"] = _button("Read", READ_SESSION, value, label)
    return block


def _button(text: str, action_id: str, value: str, label: str) -> Element:
    return {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "value": value,
        "accessibility_label": label,
    }


def _rich(*elements: Element) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _section(*elements: Element) -> Element:
    return {"type": "rich_text_section", "elements": list(elements)}


def _plain(text: str) -> Element:
    return {"type": "text", "text": "\n".join(map(visible, text.split("\n")))}


def _bold(text: str) -> Element:
    return {**_plain(text), "style": {"bold": True}}


def _code(text: str) -> Element:
    return {"type": "text", "text": visible(text), "style": {"code": True}}


def _mrkdwn(text: str) -> Block:
    # `verbatim`: no address or name in it is made a link.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
