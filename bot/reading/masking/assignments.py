"""Secrets that stand beside their names: `name=value` in every language, flags, addresses, headers, cookies, markup.

Each finder takes one line and yields what to mask in it. What the name means decides (see `names`); a regular
expression only finds where a name ends and where its value starts, so that no repeat can run over the line twice.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from bot.reading.lazily import lazily
from bot.reading.masking.names import Meaning, is_code, is_placeholder, is_sentence, looks_made, looks_random, meaning


class Found(NamedTuple):
    """`line[start:end]` is secret, counted under `kind`."""

    start: int
    end: int
    kind: str


LONGEST_VALUE: Final = 4096
SCREEN_WIDTHS: Final = frozenset((80, 100, 120, 132, 160))

_SURE_STEMS: Final = r"pass|pwd|psw|\bpw|_pw|mdp|secret|secr\S{1,2}te|kennwort|pin\b|keypass|\bpsk"
_KEY_STEMS: Final = (
    r"token|tok\b|jeton|key|\bcl(?:ef|e|é|É)s?(?:[_.-]|\b)|\bpat\b|_pat\b|\bcle(?-i:[A-Z])|auth|cred|cookie|sess|sid\b|csrf|xsrf|jwt|bearer|sig|hmac|salt|pepper|otp|mfa|seed"
    r"|dsn|priv|licen[cs]e|code|sasl|acc\S{1,2}s\b"
)
_CLOSE: Final = r"[\\\"'`\])}?*]*"
_PAIR: Final = rf"{_CLOSE}[ \t]*(?:=>|:=|->|[:=])[ \t]*(?:!+[a-z/]+ +)?"
_PAIRS: Final = (
    # A bar stands between a name and its value only where the name is the line's first cell.
    rf"^[ \t]*(?:\||│|║|┃)?[ \t]*[^\s|]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[^\s|]*[ \t]*(?:\||│|║|┃)[ \t]*\S",
    rf"(?i:{_SURE_STEMS})[\w.-]*{_PAIR}\S",
    rf"(?i:{_KEY_STEMS})[\w.-]*{_PAIR}[^\s=]*[0-9A-Z]",
    r"(?i:de passe|\bcl(?:ef|é|e)s?|phrase|code|jeton) [^\s:=]+(?: [^\s:=]+)?[ \t]*[:=][ \t]*[^\s=]*[0-9A-Z]",
    r"(?i:password|passphrase|token|secret|key) (?i:[0-9]|is|est|again|\(\w*\)|generated|created|issued|g[^\s:=]*e|cr[^\s:=]*e|value|reset|now)[ \t]*[:=][ \t]*\S",
)

_NAME: Final = lazily(
    r"(?<![\w.-])-{0,2}(?P<name>[^\W\d][\w.-]*+)(?P<close>(?:\\?[\"'`]|[\])}?]|\*\*)*+)"
    r"(?P<sep>[ \t]*+(?:::(?= )|=>|:=|->|[:=|│║┃](?!=))[ \t]*+)"
)
_BEFORE: Final = lazily(r"(?:[\w'’()/-]{1,24} ){0,4}(?:[dl]['’])?\Z")
_PHRASE: Final = lazily(
    r"""
    (?:^|[^\w])(?P<phrase>
      mots? \s de \s passe (?:\s\w{1,20})?
    | cl(?:ef|é|e|É)s? \s (?:d['’]\s?|de\s|du\s)? (?!publique|primaire|étrangère|de\s(?:la|voûte))\w{2,20} (?:\s\w{1,20})?
    | phrase \s (?:secrète|secrete|de\spasse|de\srécupération)
    | code \s (?:d['’]\s?accès|secret|pin|de\s(?:récupération|secours|vérification|sécurité)|d['’]\s?activation)
    | jeton \s (?:d['’]\s?|de\s)? \w{2,20}
    | (?:\w{1,20}\s){0,2}(?:api|access|secret|private|auth|authentication|signing|encryption|master|license|licence|service|deploy|session
        |account|recovery|backup|client|app|application|consumer|shared|security|webhook|personal|bot|bearer|refresh|root|unseal|storage|admin|user)
      \s (?:access\s|api\s|auth\s|app\s)? (?:key|token|secret|password|pass|codes?|passphrase|pin|pwd)
    | (?:new|current|old|your|the|temporary|initial|generated|default|database|db|ssh|smtp|vpn|wifi|wi-fi|login|one-time)\s
      (?:api\s)?(?:password|passphrase|passcode|secret|token|pwd|key)
    | (?:password|passphrase|token|secret|key|mot\sde\spasse)\s (?:\d|for\s[\w.@-]{1,40}|is|est|again|generated|created|issued|générée?|créée?|value|reset|now|\(\w{1,20}\))
    ) \Z
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HEADERS: Final = frozenset(
    ("cookie", "cookies", "set-cookie", "authorization", "authorisation", "proxy-authorization")
)
_SHORT_IN_QUERIES: Final = frozenset(("code", "sig", "s", "k", "t", "hash", "ticket", "h", "st", "se"))
_PUBLIC: Final = frozenset(("public", "publique", "primary", "primaire", "foreign", "étrangère", "host", "sort"))
_COMMANDS_OF_SUDO: Final = ("/", "ALL")
_NEXT_PAIR: Final = lazily(
    r"[&;,](?=\s{0,4}[\"']?[A-Za-z_][\w.\[\]-]{0,60}[\"']?\s{0,2}[=:])|\\[nrt\"']|[<>](?=/|\w)|#(?=\{)"
)
_AT_START: Final = lazily(
    r"\s*(?:[+-]\s*)?(?:(?:export|declare\s+-\w+|typeset\s+-\w+|set|setenv|env|local|ENV|ARG)\s+)?(?:-\s+)?[\"']?"
)
_BARS: Final = frozenset("|│║┃")
_IN_TABLE: Final = lazily(r"\s*[|│║┃]?\s*")
_QUERY_END: Final = lazily("[&#]")
_QUOTE_OR_PIPE: Final = lazily(r"[\"'`|]")
_RUN: Final = lazily(r"\S{0,4096}+")
_OPENED: Final = lazily(r"[\[( ]{1,8}(?=[bu]?[\"'])")
_TAG: Final = lazily(r"!{1,2}[a-z/]{2,20}[ ]+(?=\S)")  # YAML's
_CLOSERS: Final = {")": "(", "]": "[", "}": "{"}


def assignments(line: str) -> Iterator[Found]:
    """`NAME=value`, `name: value`, `"name" => "value"`, `name | value`, and what other languages make of it."""
    done = 0
    for match in _NAME.finditer(line):
        if match.start() < done:
            continue
        what = _meaning_here(line, match)
        if what is Meaning.NOTHING:
            continue
        start, end, quoted = value_at(line, match.end(), match)
        if start < end and _is_secret(line, match, start, end, what, quoted=quoted):
            yield Found(start, end, "name" if what is Meaning.SECRET else "key")
            done = end


def _meaning_here(line: str, match: re.Match[str]) -> Meaning:
    name, sep = match["name"], match["sep"].strip()
    if sep in _BARS and not _IN_TABLE.fullmatch(line[: min(match.start(), 41)]):
        return Meaning.NOTHING
    if name.lower() in _HEADERS or line.startswith("://", match.start() - 3):
        return Meaning.NOTHING
    if name == "NOPASSWD" and sep == ":" and line.startswith(_COMMANDS_OF_SUDO, match.end()):
        return Meaning.NOTHING
    what = meaning(name)
    ahead = line[max(0, match.start() - 1) : match.start()]
    if ahead in {"?", "&"} and name in _SHORT_IN_QUERIES:
        return max(what, Meaning.BARE_KEY)
    if what < Meaning.SECRET and not match["close"] and ahead in {" ", "'", "’"}:
        before = _BEFORE.search(line[max(0, match.start() - 80) : match.start()])
        phrase = _PHRASE.search((before[0] if before else "") + name)
        if before and before[0].strip().lower().rpartition(" ")[2] in _PUBLIC:
            return Meaning.NOTHING
        if phrase:
            return max(what, meaning(phrase["phrase"]), Meaning.KEY if sep != "|" else what)
    return what


def value_at(line: str, at: int, match: re.Match[str] | None = None) -> tuple[int, int, bool]:
    """Where the value that starts at `at` stands, without its quotes: (start, end, was it quoted)."""
    if (opened := _OPENED.match(line, at)) is not None:
        at = opened.end()
    if (tag := _TAG.match(line, at)) is not None:
        at = tag.end()
    if line[at : at + 2] in {"b'", 'b"', "u'", 'u"', "N'", "r'", 'r"', "f'", 'f"', "$'", "@'"}:
        at += 1
    if line.startswith(("string(", "String(", "str("), at):
        opening = line.find('"', at, at + 20)
        at = opening if opening > 0 else at
    for quote in ('\\"', "\\'", '"', "'", "`"):
        if line.startswith(quote, at):
            return _quoted(line, at, quote)
    stop = _RUN.match(line, at)
    end = min(stop.end() if stop else at, at + LONGEST_VALUE)
    return at, _unquoted_end(line, at, end, match), False


def _quoted(line: str, at: int, quote: str) -> tuple[int, int, bool]:
    start = at + len(quote)
    position = start
    while True:
        position = line.find(quote, position, start + LONGEST_VALUE)
        if position < 0:
            closes = line.count(quote, 0, at) % 2 == 1
            return start, start if closes else min(len(line), start + LONGEST_VALUE), True
        if quote[0] == "\\" or _escapes_before(line, position, start) % 2 == 0:
            return start, position, True
        position += 1


def _escapes_before(line: str, position: int, start: int) -> int:
    first = position
    while first > start and line[first - 1] == "\\":
        first -= 1
    return position - first


def _unquoted_end(line: str, start: int, end: int, match: re.Match[str] | None) -> int:
    """Where the value ends that ends at `end` at the latest, before the next blank."""
    value = line[start:end]
    before = line[max(0, match.start() - 1) : match.start()] if match else ""
    if before and before in "\"'`" and match and before not in match["close"]:
        return start + len(value.split(before, 1)[0])
    if match and match["sep"] == "=" and not match["close"] and _AT_START.fullmatch(line[: min(match.start(), 61)]):
        return end
    if cut := _NEXT_PAIR.search(value):
        value = value[: cut.start()]
    if before in {"?", "&"}:
        value = _QUERY_END.split(value, maxsplit=1)[0]
    value = _QUOTE_OR_PIPE.split(value, maxsplit=1)[0]
    while value and (value[-1] in ",;:\\" or _closes_what_it_did_not_open(value)):
        value = value[:-1]
    if value.endswith(".") and line[end:].strip():
        value = value[:-1]
    return start + len(value)


def _closes_what_it_did_not_open(value: str) -> bool:
    return value[-1] in _CLOSERS and value.count(value[-1]) > value.count(_CLOSERS[value[-1]])


def _is_secret(line: str, match: re.Match[str], start: int, end: int, what: Meaning, *, quoted: bool) -> bool:
    value = line[start:end]
    if is_placeholder(value) and not (quoted and what is Meaning.SECRET and value.lower() in {"password", "secret"}):
        return False
    if not quoted and (is_code(value) or _is_place_or_task(match, value)):
        return False
    if what is Meaning.SECRET:
        return _is_a_password(line, match, value, end, quoted=quoted)
    if "://" in value[:30]:
        return False
    if end == len(line) in SCREEN_WIDTHS and (looks_random(value, 3) or len(value) < 3):
        return True
    if what is Meaning.KEY:
        return looks_random(value, 6) or (
            len(value) >= 8 and looks_made(value) and any(map(str.isdigit, value)) and "/" not in value
        )
    return looks_random(value, 16 if match["name"].lower().endswith(("key", "session")) else 10)


_PLAIN_ADDRESS: Final = lazily(r"[a-z][a-z0-9+.-]{1,20}://[^@]*$")
_LINE_NUMBER: Final = lazily(r"\d{1,6}(?::.*)?")
_TASK: Final = lazily(
    r"(?:re)?(?:set|check|generate|new|rotate|create|update|list|show|get|scan|change|expire|clean|clear|purge|encrypt|decrypt|edit|init"
    r"|install|import|export|sync|remove|delete|revoke|add|test|lint|migrate|cleanup|prune)(?:[-_:\[].*)?"
)


def _is_place_or_task(match: re.Match[str], value: str) -> bool:
    """`lib/token.rb:12:in`, `rake secret:check`: what a colon without a blank joins to a name."""
    if match["sep"] != ":" or match["close"]:
        return False
    return ("." in match["name"] and bool(_LINE_NUMBER.fullmatch(value))) or bool(_TASK.fullmatch(value))


def _is_a_password(line: str, match: re.Match[str], value: str, end: int, *, quoted: bool) -> bool:
    """A name that means a secret, in a sentence or in a setting: only the setting has one."""
    sep = match["sep"].strip()
    if end == len(line) in SCREEN_WIDTHS:  # its rest is on the next line
        return True
    if not quoted and len(value) < 3:
        return False
    if _PLAIN_ADDRESS.match(value):
        return False
    if quoted:
        return len(value) > 1 and not (sep == ":" and (value.count(" ") > 5 or is_sentence(value)))
    if (value.isdigit() and len(value) < 4) or (match["name"].lower() in {"pwd", "oldpwd"} and value[0] in "/~"):
        return False
    if line[max(0, match.start() - 2) : match.start()] == "${":
        return value[0] in "-=" and len(value.strip("-=}")) > 1
    rest = line[end:].strip(" \t\"',;)}]|│║┃")
    if sep in _BARS:
        return not rest or looks_made(value)
    written_on = sep == ":" and bool(rest) and not rest.startswith(("#", "//", "--", "-", "&"))
    return looks_made(value) if written_on else True


_FLAG = lazily(r"(?<![\w-])-{1,2}(?P<name>[A-Za-z][\w.-]*+)(?P<sep>[ \t]++)(?=[^\s-])")
_PROMPT: Final = lazily(r"(?:^|[^\s])(?:\s?[$#%>❯➜λ»]) ")


def flags(line: str) -> Iterator[Found]:
    """`--password value`: the form with a blank. (`--password=value` is an assignment.)"""
    for match in _FLAG.finditer(line):
        what = meaning(match["name"]) if len(match["name"]) > 2 else Meaning.NOTHING
        if what is Meaning.NOTHING:
            continue
        start, end, quoted = value_at(line, match.end())
        value = line[start:end]
        if (
            is_placeholder(value)
            or (value.replace("_", "").replace("-", "").isalpha() and value.isupper())
            or (not quoted and is_code(value))
        ):
            continue
        if what is Meaning.SECRET:
            secret = quoted or looks_made(value) or bool(_PROMPT.search(line[: min(match.start(), 400)]))
        else:
            secret = looks_random(value, 6) or (looks_made(value) and any(map(str.isdigit, value)) and "/" not in value)
        if secret:
            yield Found(start, end, "command line")


_ADDRESS: Final = lazily(r"(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}+://")
_ADDRESS_RUN: Final = lazily(r"[^\s\"'<>`]{0,4096}+")
_PORT: Final = lazily(r"\d{0,5}(?:[/?#]|$)")
_STANDS_FOR: Final = lazily(r"PASS(?:WORD|WD)?|PWD|SECRET|TOKEN|x{3,}|X{3,}|\.{3,}|…")
_AFTER_AT: Final = lazily(r"@\[?[\w.-]+(?:[:/?\]]|$|[\s\"',;)>&}|])")


def addresses(line: str) -> Iterator[Found]:
    """The password of `scheme://user:password@host`, also where it has an `@`, `/` or `#` that should be encoded."""
    for match in _ADDRESS.finditer(line):
        stop = _ADDRESS_RUN.match(line, match.end())
        rest = line[match.end() : min(stop.end() if stop else match.end(), match.end() + LONGEST_VALUE)]
        colon, at = rest.find(":"), _end_of_login(rest)
        if 0 <= colon < at:
            password = rest[colon + 1 : at]
            if password and not is_placeholder(password) and not _STANDS_FOR.fullmatch(password):
                yield Found(match.end() + colon + 1, match.end() + at, "address")


def _end_of_login(rest: str) -> int:
    """Where the `@` before the host stands in what follows `://`; -1 where there is no login."""
    colon = rest.find(":")
    first = rest.find("@")
    slash = min((i for i in map(rest.find, "/?#") if i >= 0), default=len(rest))
    if colon < 0 or first < 0 or slash < colon or (slash < first and _PORT.match(rest, colon + 1)):
        return -1
    last = first
    while (again := rest.find("@", last + 1)) > 0 and not any(sign in rest[last:again] for sign in "/?#"):
        last = again
    return last if slash > first or _AFTER_AT.match(rest, last) else -1


_COOKIE: Final = lazily(r"(?i)\b(?:set-)?cookies?[\"']?\]?\s{0,3}(?:=>|[:=])\s{0,3}[\[\"']{0,2}")
_CRUMB: Final = lazily(r"\s*+(?P<name>[^\s=;,\"']{1,80}+)=(?P<value>[^;,\"'\s]{1,8000}+)")
_ATTRIBUTES: Final = frozenset(
    [
        "path",
        "domain",
        "expires",
        "max-age",
        "samesite",
        "secure",
        "httponly",
        "locale",
        "lang",
        "language",
        "theme",
        "timezone",
        "tz",
    ]
)


def cookies(line: str) -> Iterator[Found]:
    """The values of `Cookie:` and `Set-Cookie:` whose name means a session or whose value looks random."""
    for header in _COOKIE.finditer(line):
        position = header.end()
        while crumb := _CRUMB.match(line, position):
            if crumb["name"].lower() not in _ATTRIBUTES and not is_placeholder(crumb["value"]):
                known = meaning(crumb["name"]) is not Meaning.NOTHING
                if len(crumb["value"]) >= 6 and (known or looks_random(crumb["value"], 16)):
                    yield Found(crumb.start("value"), crumb.end("value"), "cookie")
            position = crumb.end()
            if line[position : position + 1] not in {";", ","}:
                break
            position += 1


_ELEMENT: Final = lazily(
    r"<(?P<name>[\w:.-]{1,80})(?:\s[^<>\n]{0,200})?>(?:<!\[CDATA\[)?(?P<value>[^<>\s\]][^<>\n\]]{0,4000})"
)
_NAMED_ELEMENT: Final = lazily(
    r"<[\w:.-]{1,40}\s[^<>\n]{0,80}?(?:key|name|id)=[\"'](?P<name>[^\"'\n]{1,100})[\"'][^<>\n]{0,100}>(?P<value>[^<>\n]{1,4000})</"
)
_NAME_AND_VALUE: Final = lazily(
    r"(?i)\b(?:key|name|id|variable)[\"']?\s{0,4}(?:=>|[:=])\s{0,4}(?P<q>[\"']?)(?P<name>[\w.:-]{1,100})(?P=q)[^\n<>]{0,60}?"
    r"\bvalue[\"']?\s{0,4}(?:=>|[:=])\s{0,4}(?:(?P<r>[\"'])(?P<value>[^\"'\n]{1,4000})(?P=r)|(?P<bare>[^\s\"',}]{1,400}))"
)
_PLIST: Final = lazily(r"<key>(?P<name>[^<>\n]{1,100})</key>\s{0,8}<string>(?P<value>[^<>\n]{1,4000})</string>")


def markup(line: str) -> Iterator[Found]:
    """`<password>value</password>`, `<add key="Password" value="value"/>`, `{"name": "PASSWORD", "value": "value"}`."""
    for pattern in (_ELEMENT, _NAMED_ELEMENT, _NAME_AND_VALUE, _PLIST):
        for match in pattern.finditer(line):
            group = "value" if match["value"] else "bare"
            what, value = meaning(match["name"]), match[group]
            if pattern is _ELEMENT and match["name"] == "key":  # a property list's: what stands in it is a name
                continue
            if what is Meaning.NOTHING or not value or is_placeholder(value.strip()):
                continue
            if what is Meaning.SECRET or looks_random(value, 6) or (what is Meaning.KEY and looks_made(value)):
                yield Found(match.start(group), match.end(group), "markup")


_HEADER: Final = lazily(
    r"(?i)(?<![\w-])(?P<name>(?:proxy-)?authori[sz]ation|x-[\w-]{0,40}?(?:auth|token|key|secret|signature)[\w-]{0,20}|www-authenticate)"
    r"(?:[\"']?\]?\s{0,3}(?:=>|[:=])|[\"'],)\s{0,3}[\[\"'`]{0,2}(?P<scheme>[A-Za-z][\w-]{1,24}[ ]+)?(?=[^\s\"'])"
)


_HEADER_RUN: Final = lazily(r"[^\s\"'\],]{0,4096}+")
_PARAMETER: Final = lazily(r"\w{2,20}=(?:$|[\w\"'(])")


def headers(line: str) -> Iterator[Found]:
    """`Authorization: Scheme credentials`, whatever the scheme, and the `X-…-Token` family."""
    for match in _HEADER.finditer(line):
        stop = _HEADER_RUN.match(line, match.end())
        value = line[match.end() : stop.end() if stop else match.end()]
        authorization = "author" in match["name"].lower()
        if is_placeholder(value) or is_code(value) or len(value) < 4 or (authorization and _PARAMETER.match(value)):
            continue
        if looks_random(value, 6) or looks_made(value) or (authorization and match["scheme"] and len(value) > 7):
            yield Found(match.end(), match.end() + len(value), "header")


_SENTENCE: Final = lazily(
    r"""(?i)\b(?P<asked>pass(?:word|phrase|code)|mot\sde\spasse|mdp|api[\s_-]?(?:key|token)|cl[ée]|jeton|(?:access|auth|secret|private|unseal|recovery|master|signing|encryption)\s(?:key|token)
    |secret|token|phrase\s(?:secrète|de\spasse)|code|otp|pin)\b
    (?:[ ](?=is[ ]|est[ ])|[ ](?:for|of|to|is|set|changed|updated|reset|share|\d{1,2}|pour|de|du|des|est|d['’]|\(|secrète|secret|api|temporaire|généré|généré[ée]|provisoire|number|n°))[^:=\n]{0,60}?\s?
    (?:[:=]\s{1,4}|\b(?:is|est|en|par)\s{1,2}|\bto\s{1,2})(?P<q>["'`]?)(?P<value>[^\s"'`]{4,400})(?P=q)[.;,!]?\s*$""",
    re.VERBOSE,
)


def sentences(line: str) -> Iterator[Found]:
    """`Password for ada@example.org: value`, `Votre nouveau mot de passe est value`: a name, more words, the value last."""
    if match := _SENTENCE.search(line[:2000]):
        value = match["value"].rstrip(".")
        if looks_random(value, 6) or (looks_made(value) and any(map(str.isdigit, value))):
            yield Found(match.start("value"), match.start("value") + len(value), "name")


_NAMED_THEN: Final = lazily(
    r"""(?:\bsetenv\s|\(setq\s|\b(?:redis-cli|valkey-cli)\s(?:-\S{1,20}\s(?:[\w.-]{1,60}\s)?){0,4}(?i:set|hset\s\S{1,80})\s|\b(?:kv|etcdctl)\sput\s/?|\bset\s-\w{1,4}\s|\bsetx\s|\b(?:secrets?|env|config|variables?)(?:\sset|:set|\sadd)\s|>\s?SET(?:NX|EX(?=\s\S{1,80}\s\d))?\s|>\s?HSET\s\S{1,80}\s)
    ["']?(?:[\w-]{1,60}[:/]){0,4}(?P<name>[A-Za-z_][\w.-]{1,80})(?::\d{1,12})?["']?\s(?:\d{1,9}\s)?(?=[^\s=])
    |\b[Ss]etting\s(?P<announced>[A-Za-z_][\w.-]{1,80})\sto\s(?=\S)
    |[\s(\[{,](?::|(?P<q>["'])-{0,2})(?P<listed>[A-Za-z_][\w.-]{1,80})(?P=q)?\s{0,2},\s{0,12}(?=["'])
    |^\s*\[(?P<bracketed>[A-Za-z_][\w.-]{1,80})\]\s{1,4}(?=\S+\s*$)
    |^\s*(?P<before_brackets>[A-Za-z_][\w.-]{1,80})\s\((?=[^\s()]+\)\s*$)
    |^(?P<field>[A-Za-z_][\w.-]{1,80});(?=\S+$)
    |<t[dh]>(?P<cell>[A-Za-z_][\w.-]{1,80})</t[dh]>\s{0,8}<t[dh]>(?=[^\s<])
    |[\[(.]["']?(?P<shown>[A-Za-z_][\w-]{1,80})["']?[\])]?\s{1,4}\#\s?=>\s{1,4}(?=\S)
    |^\s*(?P<aligned>[A-Za-z_][\w.-]{1,80})(?:[ ]{2,40}|\t{1,4})(?=\S+\s*$)
    |^\s*(?P<dotted>[A-Za-z][\w-]{0,60}(?:[._][\w-]{1,60}){1,8})[ ](?=\S+\s*$)""",
    re.VERBOSE,
)


def named_then(line: str) -> Iterator[Found]:
    """`setenv NAME value`, `define('NAME', 'value')`, `NAME     value`: no sign between the two."""
    for match in _NAMED_THEN.finditer(line):
        what = meaning(next(value for key, value in match.groupdict().items() if value and key != "q"))
        start, end, quoted = value_at(line, match.end())
        value = line[start:end]
        if what is Meaning.NOTHING or is_placeholder(value) or (not quoted and is_code(value)):
            continue
        if looks_random(value, 6) or (what is Meaning.SECRET and looks_made(value)):
            yield Found(start, end, "name")


_INSERT: Final = lazily(
    r"(?i)\b(?:insert|replace)\s{1,4}(?:ignore\s{1,4})?into\s{1,4}[\w.\"`]{1,120}\s{0,4}\((?P<columns>[^()\n]{1,2000})\)\s{0,4}(?:values|select)\s{0,4}\(?"
)
_NEXT_ROW: Final = lazily(r"\s*+,\s*+\(")
_SQL_VALUE: Final = lazily(
    r"\s*+(?:[NEX]?'(?P<text>(?:[^'\n]|'')*+)'(?:::\w+)?|\"(?P<double>[^\"\n]*+)\"|[^,()'\"\n]*+(?:\([^()\n]*+\))?)\s*+(?P<end>[,)]?)"
)


def inserts(line: str) -> Iterator[Found]:
    """`INSERT INTO users (email, password) VALUES ('ada@example.org', 'value')`: the column says what the value is."""
    for match in _INSERT.finditer(line):
        meanings = [meaning(column.strip(' "`')) for column in match["columns"].split(",")]
        if not any(meanings):
            continue
        position, number = match.end(), 0
        while value := _SQL_VALUE.match(line, position):
            group = "text" if value["text"] else "double"
            what = meanings[number] if number < len(meanings) else Meaning.NOTHING
            if (
                value[group]
                and (what is Meaning.SECRET or (what and looks_random(value[group], 6)))
                and not is_placeholder(value[group])
            ):
                yield Found(value.start(group), value.end(group), "sql")
            if not value["end"] or value.end() == position:
                break
            position, number = value.end(), number + 1
            if value["end"] == ")":
                again = _NEXT_ROW.match(line, position)
                if again is None:
                    break
                position, number = again.end(), 0


# RE2, for blocks: what stands in a line where one of these finders finds something.
FINDERS: Final = (
    ("|".join(_PAIRS), assignments),
    (rf"-[\w.-]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[\w.-]*[ \t]+[^\s-]", flags),
    (r"://[^\s/@]*:[^\s@]*@", addresses),
    (
        r"(?i:password|passphrase|passcode|mot de passe|mdp|key|token|cl(?:ef|é|e)|jeton|secret|phrase|code|otp|pin) "
        r"(?:(?i:[0-9]|for|of|to|is|set|changed|updated|reset|share|pour|de|du|des|est|d['’]|\(|secr|api|temp|g|prov|num|n)[^:=\n]*(?:[:=]\s|(?i:is|est|en|par|to)\s)"
        r"|(?i:is|est)\s)\s*[\"'`]?\S*[0-9!-/?_]\S*[ \t]*$",
        sentences,
    ),
    (
        r"(?i:\bsetenv |\(setq |\bset[nx]+ |\bsetex |(?:redis|valkey)-cli [^\n]*set |(?:kv|etcdctl) put |\bsetting [a-z]|\bset -\w+ |\bsetx |(?:secrets?|env|config|variables?)[ :](?:set|add) |> ?h?set )|"
        rf"^[ \t]*\[?[\w.-]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[\w.-]*(?:\] +| \(|;)\S+[ \t]*$|<t[dh]>[\w.-]+</t[dh]>\s*<t|# ?=> |"
        rf"[:\"'][\w.-]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[\w.-]*[\"']?[ \t]*,[ \t]*(?:\"[a-z]*[^a-z\"\n]|'[a-z]*[^a-z'\n])|"
        rf"^[ \t]*[\w.-]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[\w.-]*[ \t]+\S*[0-9!-/?_]\S*[ \t]*$",
        named_then,
    ),
    (r"(?i:insert|replace)\s+(?i:ignore\s+)?(?i:into)\s", inserts),
    (r"(?i:cookie\S?\S?)[ \t]*(?:=>|[:=])", cookies),
    (
        r"(?i:authori[sz]ation)[\"']?\]?\s?(?:=>|[:=,])|(?i:\bx-[\w-]*(?:auth|token|key|secret|signature))[\w-]*[\"']?\]?\s?(?:=>|[:=,])",
        headers,
    ),
    (
        rf"<[\w:.-]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[\w:.-]*>[^<\s]|<key>[^<\n]+</key>[ \t]*<|"
        rf"(?i:key|name|id|variable)[\"']?\s?[:=][:=>]?\s?[\"']?[\w.:-]*(?i:{_SURE_STEMS}|{_KEY_STEMS})[\w.:-]*[\"',> ]",
        markup,
    ),
)
