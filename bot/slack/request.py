"""What a person typed after `/auditlog`, understood: words in, one Request out, or BadInput with the nearest right form."""

from __future__ import annotations

import difflib
import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.errors import BadInput
from bot.literal import shortened, visible


@dataclass(frozen=True, slots=True)
class AppRef:
    region: str
    name: str


@dataclass(frozen=True, slots=True)
class ReadOne:
    app: AppRef
    audit_log_id: str


@dataclass(frozen=True, slots=True)
class ReadLast:
    app: AppRef


@dataclass(frozen=True, slots=True)
class ListSessions:
    app: AppRef


@dataclass(frozen=True, slots=True)
class Subscribe:
    app: AppRef


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    app: AppRef


@dataclass(frozen=True, slots=True)
class Subscriptions:
    pass


@dataclass(frozen=True, slots=True)
class Help:
    pass


Request = ReadOne | ReadLast | ListSessions | Subscribe | Unsubscribe | Subscriptions | Help

APP_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
AUDIT_LOG_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
REGION_NAME = re.compile(r"(?=.{1,40}\Z)[a-z0-9]+(-[a-z0-9]+){0,5}")

_SUBCOMMANDS = ("subscribe", "unsubscribe", "subscriptions", "help")
_EXAMPLE = "my-app"

# `<address|what was typed>` is how Slack hands over what it took for a link; `<#C1|name>` and `<@U1|name>` are no such thing.
_AUTO_LINK = re.compile(r"<(?:https?://|mailto:)[^<>|\s]*\|([^<>|]*)>|<(https?://[^<>|\s]*)>")
_BLANKS = re.compile(r"[\t\n\r \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# What a copy brings along at a word's edges: quotation marks of every keyboard, and characters without width.
_EDGES = "`'\"´‘’‚‛“”„«»‹›\u200b\u200c\u200d\u2060\ufeff"
# Phones and macOS turn `--app` into `—app`.
_SMART_DASHES = re.compile(r"^[–—―]{1,2}(?=[a-z])", re.IGNORECASE)
_ACTIVITY_PAGE = re.compile(
    r"(?:https?://)?dashboard\.scalingo\.com/apps/([^/?#]+)/([^/?#]+)(?:[/?#].*)?", re.IGNORECASE
)
_APP_ADDRESS = re.compile(r"(?:https?://)?([^/?#.]+)\.([^/?#.]+)\.scalingo\.io(?:[/?#:].*)?", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s_.\u2010-\u2015]+")
_PUNCTUATION = "-_.,;:!?…()[]{}#*"
# An id of Scalingo's is 24 hexadecimal digits or a UUID: nothing that one would call an app.
_LOOKS_LIKE_AN_ID = re.compile(r"[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def parse(text: str, default_region: str) -> Request:
    """Raises BadInput: one sentence, what was typed in it shortened and harmless, the nearest right form in backticks."""
    typed = _Typed.of(_words(text), default_region)
    if typed.help_wanted:
        return Help()
    return _with_app_flag(typed, typed.app_flag) if typed.app_flag is not None else _in_order(typed)


def quoted(text: str) -> str:
    """What was typed, as code in a sentence: short, and nothing in it that Slack would act on."""
    return f"`{shortened(visible(text).replace('://', ':∕∕').translate(_LOOK_ALIKES), 40)}`"


# Code holds these already, but for the backtick that would end it; a sentence goes to places that know no code as well.
_LOOK_ALIKES = str.maketrans({"`": "ˋ", "<": "‹", ">": "›", "&": "＆", "@": "＠"})


@dataclass(slots=True)
class _Typed:
    """The words without the flags; each flag at most once."""

    default_region: str
    words: list[str] = field(default_factory=list)
    app_flag: str | None = None
    region_flag: str | None = None
    help_wanted: bool = False

    @classmethod
    def of(cls, words: Sequence[str], default_region: str) -> _Typed:
        typed = cls(default_region)
        rest = list(words)
        while rest:
            typed._take(rest.pop(0), rest)
        typed.help_wanted = typed.help_wanted or typed._asks_for_help()
        return typed

    def _asks_for_help(self) -> bool:
        if not self.words:
            return self.app_flag is None and self.region_flag is None
        first, *others = (word.casefold() for word in self.words)
        return first in {"help", "?"} or (others == ["help"] and first not in _SUBCOMMANDS)

    def shown(self, app: AppRef) -> str:
        """As a person would type it."""
        return app.name if app.region == self.default_region else f"{app.region}/{app.name}"

    def _take(self, word: str, rest: list[str]) -> None:
        name, equals, value = word.partition("=")
        name = name.casefold()
        if name in {"-h", "--help"}:
            self.help_wanted = True
        elif name in {"--app", "-a"}:
            self.app_flag = _once("--app", self.app_flag, value if equals else _value_of(name, rest))
        elif name == "--region":
            self.region_flag = _once("--region", self.region_flag, value if equals else _value_of(name, rest))
        elif word.startswith("-a") and word[2:3].isalnum():
            self.app_flag = _once("--app", self.app_flag, word[2:])
        elif word.startswith("-"):
            raise _unknown_flag(word)
        else:
            self.words.append(word)


def _words(text: str) -> list[str]:
    unlinked = _AUTO_LINK.sub(lambda match: match[1] or match[2] or "", text)
    words = [_SMART_DASHES.sub(_dashes, word.strip(_EDGES)) for word in _BLANKS.split(html.unescape(unlinked))]
    words = [word for word in words if word]
    return words[1:] if words[:1] == ["/auditlog"] else words


def _dashes(match: re.Match[str]) -> str:
    word = match.string[match.end() :]
    return "-" if len(word) == 1 else "--"


def _unknown_flag(word: str) -> BadInput:
    near = next(iter(difflib.get_close_matches(word.casefold(), ("--app", "--region", "--help"), n=1)), None)
    examples = {"--app": f"--app {_EXAMPLE}", "--region": f"{_EXAMPLE} --region osc-fr1", "--help": "help"}
    remedy = "there are `--app` and `--region`, as in `/auditlog --app my-app last`."
    if near is not None:
        remedy = f"did you mean `/auditlog {examples[near]}`?"
    return BadInput(f"I do not know the flag {quoted(word)}; {remedy}")


def _value_of(flag: str, rest: list[str]) -> str:
    if not rest or rest[0].startswith("-"):
        example = f"{_EXAMPLE} --region osc-fr1" if flag == "--region" else f"{flag} {_EXAMPLE}"
        raise BadInput(f"`{flag}` needs a value after it, as in `/auditlog {example}`.")
    return rest.pop(0)


def _once(flag: str, before: str | None, value: str) -> str:
    if before is not None and before != value:
        example = f"{_EXAMPLE} --region {_echo(before)}" if flag == "--region" else f"--app {_echo(before)}"
        raise BadInput(f"`{flag}` was given twice, {quoted(before)} and {quoted(value)}: `/auditlog {example}`.")
    return value.strip(_EDGES)


def _like(*words: str) -> str:
    return " ".join(("/auditlog", _EXAMPLE, *words))


def _form(before: tuple[str, ...], app: str, after: tuple[str, ...]) -> str:
    return " ".join(("/auditlog", *before, app, *map(_echo, after)))


def _with_app_flag(typed: _Typed, flag: str) -> Request:
    """`--app` says which word is the app, so no other can be taken for it: `-a subscribe last` works."""
    match [typed.words[0].casefold(), *typed.words[1:]] if typed.words else []:
        case []:
            return ListSessions(_app(flag, typed))
        case ["subscribe"]:
            return Subscribe(_app(flag, typed, before=("subscribe",)))
        case ["unsubscribe"]:
            return Unsubscribe(_app(flag, typed, before=("unsubscribe",)))
        case [_]:
            return _session(flag, typed.words[0], typed)
        case _:
            app = _app(flag, typed, after=tuple(typed.words[:1]))
            raise _too_many(typed.words[1], f"/auditlog --app {typed.shown(app)} {_echo(typed.words[0])}")


def _in_order(typed: _Typed) -> Request:
    if not typed.words:
        raise BadInput(f"The name of the app is missing, as in `{_like()} --region osc-fr1`.")
    first, *others = typed.words
    match first.casefold():
        case "subscribe":
            return Subscribe(_the_one_app("subscribe", others, typed))
        case "unsubscribe":
            return Unsubscribe(_the_one_app("unsubscribe", others, typed))
        case "subscriptions":
            if others:
                raise _subscriptions_alone()
            return Subscriptions()
        case "last":
            raise _last_first(others)
    _check_for_typo(first, others)
    match others:
        case []:
            return ListSessions(_app(first, typed))
        case [second]:
            return _session(first, second, typed)
        case _:
            app = _app(first, typed, after=("last",))
            raise _too_many(others[1], f"/auditlog {typed.shown(app)} {_echo(others[0])}")


def _session(app: str, word: str, typed: _Typed) -> Request:
    if word.casefold() == "last":
        return ReadLast(_app(app, typed, after=("last",)))
    if word.casefold() == "subscriptions":
        raise _subscriptions_alone()
    if typed.app_flag is None:
        _check_order(app, word)
    reference = _app(app, typed, after=(word,) if AUDIT_LOG_ID.fullmatch(word) else ())
    if _close(word, ("last", "newest")):
        raise BadInput(f"{quoted(word)} is no audit log id; did you mean `/auditlog {typed.shown(reference)} last`?")
    if not AUDIT_LOG_ID.fullmatch(word):
        raise _no_id(word, typed.shown(reference))
    return ReadOne(reference, word)


def _the_one_app(subcommand: str, others: list[str], typed: _Typed) -> AppRef:
    if not others:
        raise BadInput(f"`{subcommand}` needs the name of an app: `/auditlog {subcommand} {_EXAMPLE}`.")
    app = _app(others[0], typed, before=(subcommand,))
    if others[1:]:
        raise _too_many(others[1], f"/auditlog {subcommand} {typed.shown(app)}")
    return app


def _app(word: str, typed: _Typed, *, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> AppRef:
    """`before` and `after` are the words around the app, for the form that the error shows."""
    region, name = _split(word)
    flag = typed.region_flag
    if region is not None and flag is not None and region != flag:
        form = _form(before, f"{_echo(region)}/{_echo(name)}", after)
        raise BadInput(f"Two regions were given, {quoted(region)} and {quoted(flag)}: `{form}`.")
    region = region if region is not None else flag if flag is not None else typed.default_region
    if not REGION_NAME.fullmatch(region):
        near = region.casefold() if REGION_NAME.fullmatch(region.casefold()) else "osc-fr1"
        form = _form(before, f"{near}/{name if APP_NAME.fullmatch(name) else _EXAMPLE}", after)
        raise BadInput(f"{quoted(region)} is no region; one looks like `osc-fr1`, as in `{form}`.")
    if not APP_NAME.fullmatch(name):
        raise _no_app_name(name, region if region != typed.default_region else "", before, after)
    return AppRef(region, name)


def _split(word: str) -> tuple[str | None, str]:
    """An app with its region where the word carries one: a prefix, the dashboard's page of it, or its address."""
    if page := _ACTIVITY_PAGE.fullmatch(word):
        return page[1].casefold(), page[2].casefold()
    if address := _APP_ADDRESS.fullmatch(word):
        return address[2].casefold(), address[1].casefold()
    region, slash, name = word.removeprefix("/").partition("/")
    return (region, name) if slash and name and "/" not in name else (None, word)


def _check_order(first: str, second: str) -> None:
    """Two words that are in the wrong order make a request all the same; it would answer that there is no such app."""
    if meant := _close(second, ("subscribe", "unsubscribe")):
        app = first if APP_NAME.fullmatch(_split(first)[1]) else _EXAMPLE
        raise BadInput(f"`{meant}` goes first: `/auditlog {meant} {_echo(app)}`.")
    swapped = _LOOKS_LIKE_AN_ID.fullmatch(first) and not _LOOKS_LIKE_AN_ID.fullmatch(second)
    if swapped and APP_NAME.fullmatch(second):
        raise BadInput(f"The app goes first, then the id: `/auditlog {second} {first}`.")


def _check_for_typo(first: str, others: Sequence[str]) -> None:
    meant = _close(first, _SUBCOMMANDS)
    if meant is None or any(_LOOKS_LIKE_AN_ID.fullmatch(other) or other.casefold() == "last" for other in others):
        return
    right = [meant]
    if meant in {"subscribe", "unsubscribe"}:
        right.append(others[0] if others and APP_NAME.fullmatch(others[0]) else _EXAMPLE)
    form = f"`/auditlog {' '.join(right)}`"
    if not APP_NAME.fullmatch(first):
        raise BadInput(f"I do not know {quoted(first)}; did you mean {form}?")
    as_app = " ".join(("/auditlog -a", first, *map(_echo, others[:1])))
    raise BadInput(f"Did you mean {form}, or is {quoted(first)} an app: `{as_app}`?")


def _close(word: str, known: Sequence[str]) -> str | None:
    """The known word that this one misspells: a few letters are other ones, or two are the wrong way round."""
    bare = word.casefold().strip(_PUNCTUATION)
    # With a digit or a hyphen in it, it is a name or an id.
    if not bare.isalpha() or len(bare) > 20:
        return None
    turned = [each for each in known if sorted(each) == sorted(bare)]
    return next(iter(turned or difflib.get_close_matches(bare, known, n=1, cutoff=0.8)), None)


def _no_app_name(name: str, region: str, before: tuple[str, ...], after: tuple[str, ...]) -> BadInput:
    near = _near(name)
    form = _form(before, f"{region}/{near}" if region else near, after)
    if not name:
        return BadInput(f"The name of the app is missing: `{form}`.")
    if len(name) > 64 and APP_NAME.fullmatch(name[:64]):
        return BadInput(f"{quoted(name)} is too long for an app: a name has at most 64 characters, as in `{form}`.")
    if name != name.lower() and APP_NAME.fullmatch(name.lower()):
        return BadInput(f"The name of an app is in lower case: `{form}`.")
    return BadInput(f"{quoted(name)} is no app: a name has only `a-z`, `0-9` and `-`, as in `{form}`.")


def _near(name: str) -> str:
    """A name that the person may have meant: no accents, no capitals, no blanks."""
    plain = _BETWEEN_WORDS.sub("-", unicodedata.normalize("NFKD", name.casefold().strip(_PUNCTUATION + "/")))
    plain = plain.encode("ascii", "ignore").decode()
    return plain if len(name) <= 80 and APP_NAME.fullmatch(plain) else _EXAMPLE


def _no_id(word: str, app: str) -> BadInput:
    bare = word.strip(_PUNCTUATION)
    if AUDIT_LOG_ID.fullmatch(bare):
        return BadInput(f"{quoted(word)} is no audit log id; did you mean `/auditlog {app} {bare}`?")
    fault = "is too long for an" if AUDIT_LOG_ID.fullmatch(word[:128]) else "is no"
    return BadInput(f"{quoted(word)} {fault} audit log id: `/auditlog {app}` lists the newest sessions.")


def _too_many(extra: str, form: str) -> BadInput:
    return BadInput(f"{quoted(extra)} is one word too many: `{form}`.")


def _subscriptions_alone() -> BadInput:
    return BadInput("`subscriptions` takes no app, it lists those of this channel: `/auditlog subscriptions`.")


def _last_first(others: Sequence[str]) -> BadInput:
    app = next((word for word in others if APP_NAME.fullmatch(word)), _EXAMPLE)
    return BadInput(f"`last` comes after the name of an app: `/auditlog {app} last`.")


def _echo(word: str) -> str:
    """For a form that can be copied: whole where it is right."""
    return word if AUDIT_LOG_ID.fullmatch(word) else quoted(word).strip("`")
