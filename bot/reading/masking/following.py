"""Secrets that one line announces and the next lines hold.

A private key's body, the column of a table, the answer to `echo $SECRET` or `Password:`, the value below a name, the rest
of a secret that ran over the terminal's right edge. `expected_after` says what a line lets expect; the `Following` that
it returns reads the line after it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol

from bot.reading.lazily import lazily
from bot.reading.masking.assignments import SCREEN_WIDTHS, Found
from bot.reading.masking.names import Meaning, is_code, is_placeholder, looks_made, looks_random, meaning


class Following(Protocol):
    """What the next line may hold."""

    def found(self, line: str) -> Iterator[Found]:
        """The secrets of the next line that only the lines before it give away."""

    def after(self, line: str) -> "Following | None":
        """What stays expected after `line`."""


# --- private keys -----------------------------------------------------------------------------------------------------

_BEGIN: Final = lazily(
    r"-----BEGIN (?:[A-Z0-9 ]{1,40} )?PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-|Private-Lines: \d"
)
_END: Final = lazily(r"-----END (?:[A-Z0-9 ]{1,40} )?PRIVATE KEY(?: BLOCK)?-----")
_BODY: Final = lazily(
    r"^(?P<lead>[\s>|│┃║\"'`#*-]{0,12}(?:\d{1,5}[:\s|]\s{0,4})?)(?P<body>[A-Za-z0-9+/=]{1,2000}+)(?P<tail>(?:\\[nr]|[\"'\\,\s+;`|│┃║]){0,12})$"
)
_PEM_HEADER: Final = lazily(
    r"^\s*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|Encryption|Public-Lines|Private-Lines|Private-MAC|Key-Derivation|Argon2-\w+):?"
)
_FULL_WIDTH: Final = 40


@dataclass(frozen=True)
class PrivateKey:
    """The lines between BEGIN and END: base64 of one width, the last one shorter."""

    width: int = 0

    def found(self, line: str) -> Iterator[Found]:
        body = _BODY.match(line)
        if body and self._goes_on(body["body"]):
            yield Found(body.start("body"), body.end("body"), "private key")

    def _goes_on(self, body: str) -> bool:
        return not self.width or len(body) <= self.width + 2 or len(body) >= _FULL_WIDTH

    def after(self, line: str) -> Following | None:
        if _END.search(line):
            return None
        if _PEM_HEADER.match(line) or not line.strip():
            return self
        body = _BODY.match(line)
        if body and self._goes_on(body["body"]):
            width = len(body["body"])
            return PrivateKey(width) if width >= max(self.width - 2, _FULL_WIDTH) else None
        return None


_KEY_ON_ONE_LINE: Final = lazily(r"PRIVATE KEY(?: BLOCK)?-----(?P<body>(?:[A-Za-z0-9+/=\s]|\\{1,2}[nr]){16,20000}+)")


def private_key_on_one_line(line: str) -> Iterator[Found]:
    """A PEM block with `\\n` written out, as in JSON and in `env`."""
    for match in _KEY_ON_ONE_LINE.finditer(line):
        body = match["body"]
        lead = re.match(r"(?:\\{1,2}[nr]|\s)*+", body)
        trail = re.search(r"(?:\\{1,2}[nr]|\s){0,8}\Z", body)
        start = match.start("body") + (lead.end() if lead else 0)
        end = match.start("body") + (trail.start() if trail else len(body))
        if end > start:
            yield Found(start, end, "private key")


# --- tables -----------------------------------------------------------------------------------------------------------

_RULE: Final = lazily(r"^[\s|+:=\-─━═┼╋╪├┤┝┥╞╡┌┐└┘┬┴╔╗╚╝╠╣╬╦╩│┃║┠┨╂┯┷╟╢╫┏┓┗┛┳┻┡┩╇]{3,}$")
_CELL_NAME: Final = lazily(r"[\w .?#%/-]{1,60}")
_DASHES: Final = lazily(r"^\s*[-=]{2,}(?:\s+[-=]{2,})+\s*$")
_COLUMN_NAME: Final = lazily(r"[A-Za-z_][\w.]{0,60}")
_SEPARATORS: Final = "|│┃║"


@dataclass(frozen=True)
class Table:
    """Rows below a header with a secret's name in it."""

    separator: str
    cells: int
    columns: Mapping[int, Meaning]
    pair: tuple[int, int] | None = None  # the columns of a setting's name and its value

    def found(self, line: str) -> Iterator[Found]:
        if line.count(self.separator) + 1 != self.cells:
            return
        cells = line.split(self.separator)
        columns = {self.pair[1]: meaning(cells[self.pair[0]].strip())} if self.pair else self.columns
        position = 0
        for number, cell in enumerate(cells):
            what = columns.get(number, Meaning.NOTHING)
            value = cell.strip().strip('"')
            if what is not Meaning.NOTHING and _cell_is_secret(value, what):
                start = position + cell.index(value)
                yield Found(start, start + len(value), "table")
            position += len(cell) + 1

    def after(self, line: str) -> Following | None:
        return self if line.count(self.separator) + 1 == self.cells or _RULE.match(line) else None


@dataclass(frozen=True)
class Columns:
    """Rows below a header and a line of dashes: each column as wide as its dashes."""

    spans: tuple[tuple[int, int, Meaning], ...]
    named: bool = False  # the first column holds a setting's name, the second its value

    def found(self, line: str) -> Iterator[Found]:
        for start, end, meant in self.spans:
            what = meaning(line[:start].strip()) if self.named else meant
            value = line[start:end].strip()
            if value and what is not Meaning.NOTHING and _cell_is_secret(value, what):
                at = line.index(value, start)
                yield Found(at, at + len(value), "table")

    def after(self, line: str) -> Following | None:
        if self.spans[0][:2] == (0, 10_000) and " " in line.strip():
            return None
        aligned = all(line[max(0, start - 1) : start].strip() == "" for start, _, _ in self.spans)
        return self if line.strip() and aligned and not line.startswith("(") else None


def _cell_is_secret(value: str, what: Meaning) -> bool:
    if len(value) < 2 or is_placeholder(value):
        return False
    if what is Meaning.SECRET:
        return True
    return looks_random(value, 6 if what is Meaning.KEY else 12) or (what is Meaning.KEY and looks_made(value))


def _table(header: str, rule: str) -> Following | None:
    """What `header` says of the rows below `rule`, a line of signs alone; None where the two don't make a table."""
    if len(header) > 4000:
        return None
    for separator in _SEPARATORS:
        cells = header.split(separator)
        if len(cells) > 1:
            crossings = max(rule.count(sign) for sign in "+|┼╋╪┃│╇╂")
            framed = not cells[0].strip() and not cells[-1].strip()  # ├ and ┤ stand for the outer two
            fits = crossings == len(cells) - 1 or (framed and separator != "|" and crossings == len(cells) - 3)
            return _table_of(cells, separator, _CELL_NAME) if fits else None
    return _columns(header, rule)


def _table_of(cells: list[str], separator: str, whole: re.Pattern[str]) -> Table | None:
    names = [cell.strip().strip('"') for cell in cells]
    inner = names[1:-1] if not names[0] and not names[-1] else names
    if len(inner) < 2 or not all(whole.fullmatch(name) for name in inner):
        return None
    if pair := _name_and_value(names):
        return Table(separator, len(cells), {}, pair)
    columns = {number: what for number, name in enumerate(names) if (what := meaning(name)) is not Meaning.NOTHING}
    return Table(separator, len(cells), columns) if columns else None


def _name_and_value(names: list[str]) -> tuple[int, int] | None:
    """Which columns hold a setting's name and its value, in a table of settings."""
    lowered = [name.lower() for name in names]
    if "value" not in lowered:
        return None
    for name in ("key", "name", "variable", "setting", "parameter", "field", "property"):
        if name in lowered:
            return lowered.index(name), lowered.index("value")
    return None


def _columns(header: str, rule: str) -> Columns | None:
    if not _DASHES.match(rule):
        name = header.strip().removesuffix(":")
        one = _COLUMN_NAME.fullmatch(name) and rule.strip().strip("-") == "" and meaning(name) > Meaning.BARE_KEY
        return Columns(((0, 10_000, Meaning.KEY),)) if one else None
    dashes = [match.span() for match in re.finditer("-+|=+", rule)]
    if len(dashes) == 2 and header[dashes[1][0] :].strip().lower() == "value":
        return Columns(((dashes[1][0], 10_000, Meaning.NOTHING),), named=True)
    spans = []
    for number, (start, _) in enumerate(dashes):
        stop = dashes[number + 1][0] if number + 1 < len(dashes) else 10_000
        what = meaning(header[start:stop].strip())
        if what is not Meaning.NOTHING:
            spans.append((start, stop, what))
    return Columns(tuple(spans)) if spans else None


_COPY: Final = lazily(r"COPY \S{1,200} \((?P<columns>[^()]{1,1800})\) FROM stdin;")


def _separated(line: str) -> Table | None:
    """The header of comma-, bar- or tab-separated lines, nothing but names, or what pg_dump writes in its place."""
    if len(line) > 2000:
        return None
    if copied := _COPY.fullmatch(line):
        return _table_of(copied["columns"].split(", "), "\t", _CELL_NAME)
    for separator in "\t,;|":
        if separator in line and not (separator == "|" and " " in line):
            return _table_of(line.split(separator), separator, _COLUMN_NAME)
    return None


# --- answers ----------------------------------------------------------------------------------------------------------

_ANSWER: Final = lazily(
    r"""^\s*(?:=>\s*|>\s*|Out\[\d+\]:\s*|\$\d+\s=\s|=\s|\d+\)\s*|\[\d+\]\s*|res\d+:[^=]{1,40}=\s|string\(\d+\)\s)?
    (?:[bu](?=["']))?(?:"(?P<double>[^"\n]{2,4000})"|'(?P<single>[^'\n]{2,4000})'|(?P<bare>[^\s"'`][^\s]{1,4000}+))[,;]?\s*$""",
    re.VERBOSE,
)
_PROMPT: Final = lazily(r"^[^\s<]\S*[@:~/\]]\S*[$#%>]$|^[\w.-]{0,40}[$#%>❯]$")
_VALUE_LINE: Final = lazily(
    r"""^\s*(?:-\s)?["']?(?:value|Value|VALUE|default|string|data)["']?\s*(?:=>|[:=])\s*(?:"(?P<double>[^"\n]{1,4000})"|'(?P<single>[^'\n]{1,4000})'|(?P<bare>[^\s"'{\[][^\s,]{0,4000}))[,;]?\s*$
    |^\s*<(?:string|value)>(?P<element>[^<\n]{1,4000})</
    |^\s*(?:=>\s*)?(?:string\(\d+\)|\|)?\s*"(?P<dumped>[^"\n]{1,4000})"[,;]?\s*$""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Answer:
    """The one value that a question, a name above it or a command asked for."""

    what: Meaning
    named: bool = False  # the name stood alone on its line: its value may follow as `value: …`
    patience: int = 2
    name: str = ""  # what was asked for: some programs repeat it before the value
    blind: bool = False  # what is asked for is typed without an echo: what follows is output

    def found(self, line: str) -> Iterator[Found]:
        match = _VALUE_LINE.match(line) if self.named else None
        match = match or _ANSWER.match(line)
        if match is None or _PROMPT.match(line.strip()):
            return
        group = next(name for name, value in match.groupdict().items() if value)
        if self._is_secret(match[group], quoted=group != "bare") and not (self.blind and _DIGEST.match(match[group])):
            yield Found(match.start(group), match.end(group), "answer")

    def _is_secret(self, value: str, *, quoted: bool) -> bool:
        if (
            is_placeholder(value)
            or len(value) < 3
            or value == self.name
            or (not quoted and (is_code(value) or value[0] == "@" or value[-1] in ":{[(" or _SETTING.match(value)))
        ):
            return False
        if self.what is Meaning.SECRET:
            return quoted or looks_made(value) or not self.named
        if self.what is Meaning.KEY:
            return looks_random(value, 6) or (looks_made(value) and "/" not in value)
        return looks_random(value, 8) or (looks_made(value) and sum(map(str.isdigit, value)) > 0 and "/" not in value)

    def after(self, line: str) -> Following | None:
        between = (
            not line.strip()
            or (self.named and _TYPE_LINE.match(line))
            or (self.name and line.strip().endswith(self.name))
        )
        if between and self.patience:
            return replace(self, patience=self.patience - 1)
        return None


_TYPE_LINE: Final = lazily(r"(?i)\s*[\"']?(?:type|kind|version|description|tier)[\"']?\s?[:=]")
_SETTING: Final = lazily(r"[A-Za-z_][A-Za-z_.-]+[:=](?!=*$)|[a-z][a-z0-9+.-]*://")
_TELLING_FILE: Final = (
    r"[^\s|;&]*(?:secret|token|passw|passwd|master|credential|api[_-]?key|\.key|_key|auth|private|vault)[^\s|;&]*"
)
_ASKED_BY_NAME: Final = lazily(
    r"""(?:\b(?:echo|print|puts|printf|p|pp|inspect)\b[^\n|]{0,40}?\$\{?(?P<shell>\w+)
    | \bprintenv\s+(?P<printenv>\w+)
    | \b(?:env-get|config:get|variables?\sget|secrets?\sget|env\sget|get-parameter|config\sget)\b[^\n]{0,80}?\s(?P<get>[\w./-]+)(?:\s+(?:-a|--app|--region|-r|--remote)[ =][\w.-]{1,60}){0,2}
    | (?:\bENV|\benviron|\benv|\b_ENV|\b_SERVER|credentials|secrets|config|session|settings|options)(?:\.fetch|\.get|\.dig)?[\[(]\s{0,2}:?["']?(?P<index>[\w.:-]+)["']?
    | \b(?:getenv|get_env|Getenv|env|fetch_env!|config|setting)\(?\s?["'](?P<call>[\w.:-]+)["']
    | \bprocess\.env\.(?P<node>\w+)
    | \bgrep\s(?:-\w+\s)?["']?(?P<grep>\w+)["']?
    | \bCONFIG\sGET\s(?P<redis>\w+)|"(?P<echoed>requirepass|masterauth)"
    | \w[(\[](?:[^()\n]{0,60},)?\s{0,2}:?["']?(?P<argument>[\w.-]{2,80})["']?(?=[)\]])
    | ^\d{1,3}\)\s"(?P<field>[\w.-]{2,80})"
    | [\w)\]"'](?:\.|->)(?P<attribute>[A-Za-z_]\w*[!]?)(?:\(\))?
    )[\]\["')}\s;]{0,8}$""",
    re.VERBOSE,
)
_GENERATORS: Final = lazily(
    r"""(?:openssl\s+rand|\bpwgen\b|\bapg\b|\bmkpasswd\b|\bmakepasswd\b|rails\s+secret|rake\s+secret|SecureRandom\.\w+|secrets\.token_\w+|token_(?:hex|urlsafe)\(
    |get_random_secret_key|generate_key|phx\.gen\.secret|key:generate|wg\s+(?:genkey|genpsk)|genpsk|gen(?:erate)?[-_]?(?:secret|password|token|key)|make_password\(|htpasswd\s+-\w*n
    |auth\s+(?:token|print-access-token|print-identity-token)|auth:token|get-login-password|get-access-token|get-session-token|join-token|token\s+create|create\s+token|uuidgen\s+\#\s*secret
    |vault\s+(?:read|kv\s+get)\s[^\n]*-field|-field=\w+|op\s+read|pass\s+(?:show\s)?\w|lpass\s+show|get-secret-value|secrets?\s+versions\s+access|keyvault\s+secret\s+show|jsonpath=\S*data
    |base64\s+(?:-d|--decode|-D)\b|ansible-vault\s+view|encrypted_value|generate_unique_secure_token|Fernet\.generate|rotate[-_](?:token|key|secret)|hex\(\d+\)|urlsafe_base64
    |(?:cat|head|tail|less|more|bat|strings|type|Get-Content)\s[^\n|]{0,80}?"""
    + _TELLING_FILE
    + r""")[^\n|]{0,120}$|/dev/u?random\b[^\n]{0,60}\|[^\n]{0,80}$|\|\s*base64\s+(?:-d|--decode)\s*$|crypt\(.*\)\s*$""",
    re.VERBOSE,
)
_QUESTION: Final = lazily(
    r"""(?i)(?:^|[^\w])(?P<asked>pass(?:word|phrase|code)|mot\sde\spasse|api[\s_-]?(?:key|token)|cl[ée](?:\s(?:d['’]\s?)?\w{2,12})?|jeton(?:\s(?:d['’]\s?)?\w{2,12})?|(?:access|auth|secret|private|security|recovery|verification)\s(?:key|token|code)
    |secret(?:\skey)?|token|credentials?|pin(?:\scode)?|phrase\ssecrète|code\sd['’]accès|(?:password|token|key|secret)\s(?:is|was|est)|otp)
    (?:\s(?:\(.{0,30}\)|for\s[\w\s@./:'-]{1,60}|(?:de|pour|of)\s[\w\s@./:'-]{1,60}|again|here|below|now|généré|generated|temporaire|:))?\s?[:?>›]\s*$""",
    re.VERBOSE,
)
_MADE_UP: Final = lazily(r"(?i)généré|generated|tempor|provisoire")
_TYPED: Final = lazily(r"(?i)pass|mot")
_DIGEST: Final = lazily(
    r"(?:[a-z0-9]{2,8}[:-])?[0-9a-f]{32,128}$|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$|[A-Za-z0-9+/]{44,}={0,2}$"
)
_ASSIGNED: Final = lazily(r"[\w\"']\s?(?::|(?<![=!<>])=)\s?(?:os\.|process\.)?$")  # a value that is not shown
_CAPTURED: Final = lazily(r"=\s?[\"']?(?:\$\(|`)|\s\d?>>?\s?[\w./~$-]{1,200}\s*$")  # into a variable, into a file
_STANDS_FOR_ONE: Final = lazily(r"<[^<>]{0,80}>\s*$")
_NAME_ALONE: Final = lazily(
    r"""^\s*(?:-\s)?(?:["'\[(]{0,2}(?P<name>[\w.-]{2,80})["'\])]{0,2}\s?(?:=>|:|=)\s*(?:[>|][+-]?|\||\\)?
    |["']?(?:name|key|Name|Key|variable)["']?\s?(?:=>|[:=])\s?["']?/?(?:[\w.-]{1,60}/){0,6}(?P<named>[\w.-]{2,80})["']?,?
    |<key>(?P<plist>[^<]{2,80})</key>)\s*$""",
    re.VERBOSE,
)


_PRINTING: Final = lazily(
    r"\b(?:kv\sget|etcdctl\sget|jq|yq|dasel|crudini|(?:terraform|tofu)\soutput|bw\sget|get-parameter|HGET|GET|awk|git\sconfig|wp\sconfig\sget|pass|gopass|show"
    r")\s(?P<rest>[^\n]{2,240})$"
)
_WORDS: Final = lazily(r"[A-Za-z_][\w-]{1,80}")
_SHOWN_ONCE: Final = lazily(r"(?i)(?:shown|displayed|visible|afficher|affichée?)\s[^\n]{0,30}[:.]\s*$")
_AT_A_PROMPT: Final = lazily(r"^[^\n]{0,120}?[$#%>❯➜λ]\s")


def _printed(end: str) -> Meaning:
    """What a command prints that names it: `jq -r .db.password`, `terraform output api_key`."""
    command = _PRINTING.search(end) if _AT_A_PROMPT.match(end) else None
    words = _WORDS.findall(command["rest"]) if command else []
    return max((meaning(word) for word in words), default=Meaning.NOTHING)


def _question(line: str) -> Following | None:
    if len(line) > 1000:
        return None
    end = line[-300:]
    asked = _ASKED_BY_NAME.search(end)
    if asked and not _ASSIGNED.search(end, 0, asked.start()):
        name = next(value for value in asked.groups() if value)
        if (what := meaning(name)) is not Meaning.NOTHING:
            return Answer(what, name=name)
    if _GENERATORS.search(end) and not _CAPTURED.search(end):
        return Answer(Meaning.KEY)
    if _printed(end) is not Meaning.NOTHING and not _CAPTURED.search(end):
        return Answer(Meaning.KEY)
    if _SHOWN_ONCE.search(end):
        return Answer(Meaning.KEY)
    if alone := _NAME_ALONE.match(line):
        name = next(value for value in alone.groups() if value)
        if (what := meaning(name)) is not Meaning.NOTHING:
            return Answer(Meaning.BARE_KEY if alone["name"] and line.rstrip().endswith(":") else what, named=True)
    if (asked := _QUESTION.search(line[-120:])) and not _STANDS_FOR_ONE.search(end):
        return Answer(Meaning.BARE_KEY, blind=bool(_TYPED.match(asked["asked"])) and not _MADE_UP.search(end))
    return None


# --- wraps ------------------------------------------------------------------------------------------------------------

_RUN: Final = lazily(r"[^\s\"'`@|,;<>()\[\]{}•]++")
_ADDRESS_CUT: Final = lazily(r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/@:]{0,80}:(?P<password>[^\s/@\"'•]{4,400})$")


@dataclass(frozen=True)
class Wrap:
    """The last line filled the screen's width, and a secret went to its end: the next line starts with its rest."""

    width: int
    address: bool

    def found(self, line: str) -> Iterator[Found]:
        end = self._end(line)
        if end:
            yield Found(0, end, "wrap")

    def _end(self, line: str) -> int:
        run = _RUN.match(line)
        if run is None:
            return 0
        after = line[run.end() : run.end() + 1]
        if self.address:
            return run.end() if after == "@" else 0
        if (
            after == "@"
            or _SETTING.match(run[0])
            or (len(run[0]) < 12 and run[0].isalpha() and not after)
            or _PROMPT.match(run[0])
        ):
            return 0
        return run.end() if looks_random(run[0], 1) or after in {'"', "'"} else 0

    def after(self, line: str) -> Following | None:
        return self if self._end(line) == len(line) == self.width else None


def cut_addresses(line: str) -> Iterator[Found]:
    """The password of an address that the screen's right edge cut before its `@`."""
    if len(line) in SCREEN_WIDTHS and (match := _ADDRESS_CUT.search(line[-500:])):
        start = len(line) - len(line[-500:]) + match.start("password")
        yield Found(start, len(line), "address")


# --- all together -----------------------------------------------------------------------------------------------------

STEM: Final = (
    r"(?i:pass|pwd|mdp|secret|token|jeton|key|cl(?:e|é)|auth|cred|cookie|sess|jwt|salt|otp|dsn|hmac|sign|code|pin)"
)
# Where STEM stands before it. To remember of each line whether it does would double the states of the automaton.
ASKS: Final = r"(?:[:?]|>[ \t])[ \t]*$"
# RE2, for blocks: the lines after which something may be expected.
HINTS: Final = (
    r"-----BEGIN [^\n]*PRIVATE KEY|Private-Lines: [0-9]|PuTTY-User-Key",
    r"^[^\w\n]*(?:---|===|─|━|═)[^\w\n]*$",
    rf"^[\w.,;|\t\"]*{STEM}[\w.,;|\t\"]*$",
    r"^COPY [^\n]*\) FROM stdin;$",
    ASKS,
    rf"{STEM}[\w.\"'\])-]*[ \t]*(?:=>?|>|[:=] ?[>|][+-]?)[ \t]*$",
    # A web server logs `GET /path`: only at a prompt is that a key of Redis.
    rf"(?:kv get|etcdctl get|\bjq|\byq|dasel|crudini|(?:terraform|tofu) output|bw get|get-parameter|awk|git config|config get|\bpass|\bgopass|\bshow|(?:[$#%>]|❯|➜|λ)\s+H?GET|cli[^\n]* H?GET) [^\n]*{STEM}",
    rf"^[0-9]+\) \"[\w.-]*{STEM}[\w.-]*\"$",
    rf"\$\{{?\w*{STEM}\w*\}}?[\"']?[ \t;]*$",
    rf"[\[(,] ?:?[\"']?[\w.:-]*{STEM}[\w.:!-]*[\"']?[\])]+[\])\"']*[ \t;]*$",
    rf"(?:\.|->)\w*{STEM}\w*!?(?:\(\))?[ \t]*$",
    r"\b(?:printenv|env-get|config:get|variables get|secrets get|env get|get-parameter|grep|CONFIG GET|requirepass|masterauth)\b",
    rf"(?i:name|key|variable)[\"']?\s?(?:=>|[:=])\s?[\"']?[\w./-]*{STEM}[\w.-]*[\"']?,?$",
    r"<key>[^<\n]*</key>[ \t]*$",
    r"\b(?:openssl rand|pwgen|apg|mkpasswd|makepasswd|rails secret|rake secret|SecureRandom|secrets\.token|token_(?:hex|urlsafe)|get_random_secret_key"
    r"|generate_key|phx\.gen\.secret|key:generate|wg genkey|wg genpsk|gen(?:erate)?[-_](?:secret|password|token|key)|make_password|htpasswd|auth token"
    r"|auth print|auth:token|get-login-password|get-access-token|get-session-token|join-token|token create|create token|vault (?:read|kv)|op read|pass show"
    r"|lpass show|get-secret-value|versions access|secret show|ansible-vault view|generate_unique_secure_token|rotate[-_])|jsonpath=|-field=|base64 (?:-d|--decode|-D)|/dev/u?random|crypt\(|hex\([0-9]",
    r"\b(?:cat|head|tail|less|more|bat|strings)(?: -\S+)*(?: [0-9]+)? \S*(?:secret|token|passw|master|credential|key|auth|private|vault)",
)
FINDERS: Final = ((r"://[^\s/@:]*:[^\s/@]+$", cut_addresses), ("PRIVATE KEY", private_key_on_one_line))


def expected_after(
    line: str, previous: str, found: list[Found], before: Following | None, *, hinted: bool
) -> Following | None:
    """What the line after `line` may hold: what the line before it, its secrets and what had been expected of it say.

    `hinted`: one of HINTS stands in `line`.
    """
    if _BEGIN.search(line) and not _END.search(line):
        return PrivateKey()
    if found and found[-1].end == len(line) in SCREEN_WIDTHS and not isinstance(before, PrivateKey | Wrap):
        cut = (
            found[-1].kind == "address"
            and "@" not in line[found[-1].start :]
            and bool(_ADDRESS_CUT.search(line[-500:]))
        )
        return Wrap(len(line), cut)
    staying = before.after(line) if before else None
    if staying or not hinted:
        return staying
    if _RULE.match(line):
        return _table(previous, line)
    return _separated(line) or _question(line)
