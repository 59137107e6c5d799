"""Labelled lines of terminals, read from `cases/secrets`: what is secret stands between « and ».

A value is built when the case is read, so that no file here holds anything that a code host takes for a token. `{hex:32}`,
`{uhex:40}`, `{alnum:20}`, `{upper:20}`, `{digits:10}`, `{url:43}` and `{b64:40}` are that many random characters, `{uuid}`
is one, `{pass}` a password as people choose them, `{basic}` a login in base64, `{django}`, `{ssha}` and `{bcrypt}` what their
names say. The numbers are seeded with the file's name: a case reads the same every time.
"""

import base64
import random
import re
import string
import uuid
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases" / "secrets"
_ALPHABETS = {
    "hex": string.hexdigits[:16],
    "uhex": string.digits + "ABCDEF",
    "alnum": string.ascii_letters + string.digits,
    "upper": string.ascii_uppercase + "234567",
    "digits": string.digits,
    "url": string.ascii_letters + string.digits + "_-",
    "b64": string.ascii_letters + string.digits + "+/",
}
_WORDS = ["chaise", "riviere", "fenetre", "plume", "cerise", "nuage", "tambour", "valise", "jardin", "citron"]
_DIRECTIVE = re.compile(r"\{(hex|uhex|alnum|upper|digits|url|b64):(\d+)\}|\{(uuid|pass|basic|django|ssha|bcrypt)\}")


@dataclass(frozen=True)
class Labelled:
    """A line and where its secrets stand."""

    text: str
    spans: tuple[tuple[int, int], ...]


def files() -> list[Path]:
    return sorted(CASES.glob("*.txt"))


def read_case(path: Path) -> list[Labelled]:
    rng = random.Random(path.name)
    return [_labelled(_filled(line, rng)) for line in path.read_text(encoding="utf-8").splitlines()]


def _filled(line: str, rng: random.Random) -> str:
    return _DIRECTIVE.sub(lambda match: _value(match, rng), line)


def _value(match: re.Match[str], rng: random.Random) -> str:
    if match[1]:
        value = _drawn(rng, match[1], int(match[2]))
        return value if any(map(str.isdigit, value)) or len(value) < 8 else value[:-1] + "7"
    match match[3]:
        case "uuid":
            return str(uuid.UUID(int=rng.getrandbits(128), version=4))
        case "basic":
            return base64.b64encode(f"lea:{_password(rng)}".encode()).decode()
        case "django":
            return "".join(rng.choices(string.ascii_lowercase + string.digits + "!@%^&*(-_=+)", k=50))
        case "ssha":
            return "{SSHA}" + _drawn(rng, "b64", 38) + "=="
        case "bcrypt":
            return "$2y$10$" + _drawn(rng, "alnum", 53)
        case _:
            return _password(rng)


def _drawn(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(_ALPHABETS[alphabet], k=length))


def _password(rng: random.Random) -> str:
    word, other = rng.sample(_WORDS, 2)
    number = rng.randrange(10, 99)
    return rng.choice(
        (
            f"{word}{number}",
            f"{word.title()}{number}{number}!",
            f"{word}-{other}-{number}",
            f"{word[:3].upper()}{number}7_{other}",
            _drawn(rng, "alnum", 13) + str(number),
            _drawn(rng, "alnum", 6) + "!" + _drawn(rng, "alnum", 6) + "?" + str(number),
        )
    )


def _labelled(marked: str) -> Labelled:
    text, spans = "", []
    for number, piece in enumerate(re.split("[«»]", marked)):
        if number % 2:
            spans.append((len(text), len(text) + len(piece)))
        text += piece
    return Labelled(text, tuple(spans))
