"""What a name says about its value, and what a value looks like.

A terminal shows thousands of `name=value`. Two questions decide which of them is a secret: does the name mean one
whatever its value (`DB_PASSWORD`, `mot de passe`), or only where the value looks drawn at random (`API_KEY`, `jeton`)?
"""

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Final

from bot.reading.lazily import lazily


class Meaning(IntEnum):
    """What is secret about the value of a name, the surest last."""

    NOTHING = 0
    BARE_KEY = 1  # `key`, `session`: secret where the value is long and plainly random
    KEY = 2  # `api_key`, `auth_token`: secret where the value looks made, not written
    SECRET = 3  # `password`: secret, whatever the value


def word_set(words: str) -> frozenset[str]:
    """The words of a list written as a sentence."""
    return frozenset(words.split())


_WORD: Final = lazily(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")

_SECRET_WORDS: Final = word_set(
    "password passwd passwrd passphrase passcode passwort kennwort pwd pswd psw pw mdp secret secrete motdepasse "
    "psk contrasena requirepass masterauth keypass storepass bindpw rootpw userpassword apppassword"
)
_SECRET_ENDS: Final = ("password", "passwd", "passphrase", "pwd", "secret", "motdepasse", "passcode", "mdp")
_LAST_WORDS_OF_A_SECRET: Final = frozenset(("pass", "passe", "pin"))
_PASS_BUT_NO_SECRET: Final = word_set("bypass compass encompass surpass trespass overpass underpass proxypass impasse")

_KEY_WORDS: Final = word_set(
    "token tok jeton key cle clef pat apikey auth authorization authentication bearer jwt cookie session sess sid sessionid "
    "csrf xsrf csrftoken signature sig hmac salt pepper otp totp mfa seed dsn credential credentials cred creds private "
    "priv license licence accesskey secretkey authkey privatekey passkey authtoken authenticity sasl jeton "
    "phpsessid jsessionid authtok"
)
_KEY_ENDS: Final = (
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "authkey",
    "privatekey",
    "jeton",
    "sessid",
    "masterkey",
)
# Words too common to mean a secret by themselves: what stands beside them makes them one.
_BARE: Final = word_set("key cle clef session sess sid token tok auth sig seed cookie salt private license licence")
_SETTINGS_ABOUT_SECRETS: Final = word_set(
    "ttl expires expiry expiration expire expired min max length len count counts size limit limits policy name names "
    "type types url uri endpoint host path file filename dir directory prefix suffix algorithm algo alg format version "
    "enabled disabled enable disable required reset changed change at on dummy hint field label strength attempts "
    "rotation store provider scope scopes header mode cost rounds iterations in validity lifetime age timeout days "
    "seconds minutes hours method strategy class column index idx param params parameter template regex pattern digits "
    "bits usage use used only less manager helper service form page link email mail created updated visible "
    "visibility placeholder rules rule history input stdin domain samesite secure exists valid invalid encoding "
    "charset hashers hasher validators validator within after before until since without encryptor ref refs order position range pair pairs space status state error errors event events handler listener "
    "addr address addresses server servers namespace issuer audience aud by uuid guid rotate rotated revoked issued "
    "username arn alias description desc comment note title topic region zone port bucket interval period delay retries "
    "threshold quota remaining left total rate complexity prompt question language lang configured supported allowed "
    "optional mandatory expected missing present needed verified confirmed sent requested blank empty failures failure "
    "tries screen view views route routes site sites href docs doc documentation oublie perdu longueur duree "
    "delai chemin fichier lien statut etat libelle nom le expiree"
)
# What a name says first where the rest names the secret that it counts, dates, measures or asks for.
_ABOUT_WHAT_FOLLOWS: Final = word_set(
    "longueur duree date nombre nb taille expiration lien delai has is require requires needs num number forgot forgotten "
    "count missing skip show hide allow"
)
_PUBLIC: Final = frozenset(("public", "publishable", "pub"))
# Beside `key` or at the end of a name, these say what kind of key it is: none that opens anything.
_NEVER: Final = word_set(
    "build dedup dedupe deduplication routing object lookup translation i18n primary foreign sort partition cache idempotency keyboard keyframes keyspace unique "
    "composite natural surrogate max min fingerprint checksum integrity etag thumbprint revision commit "
    "page pagination continuation next previous sync record row document entity map dict json config property "
    "resource queue message tag metric label event feature registry shard hash range group grouping file blob site resume attachment asset media n"
)
_KINDS_OF_A_CLE: Final = word_set(
    "primaire etrangere publique tri cache repartition partition index unique fonctionnelle metier technique naturelle composee composite logique"
)
_HELD_BY_ITS_KIND: Final = word_set("key cle clef token id keys tokens hash sha")
_DIGESTS: Final = frozenset(("hash", "digest"))
_FINGERPRINTS: Final = (["gpg", "key"], ["pgp", "key"], ["host", "key"])
_IDS: Final = (["access", "key"], ["acces", "cle"])
_SECRET_CODES: Final = word_set(
    "acces access secret backup recovery secours verification otp pin activation mfa totp sms securite security"
)


def words_of(name: str) -> list[str]:
    """`spring.dataSource.APIKey` → spring, data, source, api, key: lower case, no accents, no digits."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return [word.lower() for word in _WORD.findall(plain) if not word.isdigit()]


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """What is secret about a value of this name. `name` is one identifier or a phrase of some words."""
    words = words_of(name)[-12:]
    if not words or words[-1] in _SETTINGS_ABOUT_SECRETS or words in _FINGERPRINTS or _is_of_another_kind(words):
        return Meaning.NOTHING
    if words[0] in _ABOUT_WHAT_FOLLOWS and len(words) > 1:
        return Meaning.NOTHING
    if words[-1] in _DIGESTS and len(words) > 1:
        return Meaning.KEY if _is_secret(words[:-1]) else _key(words)
    if words[-1] == "id":
        return Meaning.KEY if words[-2:-1] in (["session"], ["secret"]) or words[-3:-1] in _IDS else Meaning.NOTHING
    if _is_secret(words):
        return Meaning.SECRET
    if "code" in words or "codes" in words:
        return Meaning.NOTHING if _SECRET_CODES.isdisjoint(words) else Meaning.KEY
    return _key(words)


def _is_of_another_kind(words: list[str]) -> bool:
    """`public_key`, `cache_key`, `key_fingerprint`; not `CACHE_PASSWORD`, nor a primary key that encrypts."""
    if not _PUBLIC.isdisjoint(words):
        return not _is_secret(words)
    if "encryption" in words:
        return False
    if not _KINDS_OF_A_CLE.isdisjoint(words) and not {"cle", "clef", "cles"}.isdisjoint(words):
        return True
    following = (*words[1:], "key")
    return any(word in _NEVER and after in _HELD_BY_ITS_KIND for word, after in zip(words, following, strict=True))


def _is_secret(words: list[str]) -> bool:
    last = words[-1]
    if not _SECRET_WORDS.isdisjoint(words) or ("mot" in words and "passe" in words):
        return True
    if any(word.endswith(_SECRET_ENDS) for word in words):
        return True
    if last in _LAST_WORDS_OF_A_SECRET:
        return last != "pin" or len(words) > 1
    return last.endswith("pass") and last not in _PASS_BUT_NO_SECRET


def _key(words: list[str]) -> Meaning:
    found = [word for word in words if word in _KEY_WORDS or word.endswith(_KEY_ENDS)]
    if not found:
        return Meaning.NOTHING
    if all(word in _BARE for word in found) and len(set(words)) == 1:
        return Meaning.BARE_KEY
    return Meaning.KEY


_PLACEHOLDER: Final = lazily(
    r"""
    nil|null|none|undefined|true|false|yes|no|on|off|ok|required|require|optional|include|omit|same-origin|hidden
    |redacted|filtered|masked|removed|todo|n/a|empty|unset|missing|blank|invalid|valid|prompt|ask|default|disabled|enabled
    |string|str|text|bytea|bytes|bool|boolean|integer|int|bigint|number|object|any|uuid|json|jsonb|varchar|char|character
    |change_?me\w*|replace[-_]?me|to_be_\w+|insert[-_]\w+|[\w-]+[-_]here|dummy|placeholder|example|__\w+__|your[-_ ].*|my[-_](?:secret|password|token|key)|password|passwd|pass|secret|token|key|value|api[-_]?key
    |expired|expires|incorrect(?:--reenter:?)?|wrong|weak|strong|protected|encrypted|saved|updated|changed|correct|accepted|denied|rejected|failed|success
    |successful|match(?:es)?|obligatoire|requise?|oublié|incorrecte?|invalide|expiré|valide|modifié|optionnel(?:le)?|aucune?|vide
    |bearer|basic|digest|hmac|jwt|oauth2?|ldap|md5|trust|peer|ident|scram-sha-256|sha-?(?:1|256|512)|rsa|aes|refresh|access
    |~|[*\u2022\u25cf\u2588.\u2026_x-]{3,}
    |<.*>|<%.*|%env\(.*|%\w+%|ENC\[.*|\*[a-z_]+|(?:op|vault|ssm|awssm|gcpsm|ref\+\w+)://.*|arn:aws.*|vault:[a-z][\w/.-]*\#.*|\{\{.*|\$\{.*|\$\(.*|\$[a-z_]\w*(?:[\[-].*)?|\$\d{1,2}|%[a-z_]*%?|%\(.*|\#\{.*|:[a-z_]\w*|@[a-z_]\w*|&[a-z_]\w*|\?
    |\[.*\]?|\(.*\)|\((?:sensitive|known|hidden|not|redacted|none|empty|set|unset|no)|\{.*|!.*|\\?["'`]+|[,;)}\]>]+
    |(?:os\.)?env(?:iron)?[\[.(].*|process\.env.*|params[\[.(].*|var\..*|local\..*|secrets\..*|self\..*|this\..*|lambda.*
    |request\..*|config[.(\[].*|settings[.(\[].*|file\(.*|credentials[.(\[].*|rails\..*|options[.(\[].*|args[.(\[].*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CODE_CALL: Final = lazily(
    r"[A-Za-z_$]+[0-9]?(?:(?:\.|::|->|\?\.)[A-Za-z_]\w*)*(?:\(.*|\[(?:[\"':a-z].*|\d{1,3}\],?)?)|[0-9]+\.[a-z_]+"
)
_CODE_NAMES: Final = lazily(r"[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)*[?!]?")
_STEM: Final = lazily(r"passw|passe|_pass|pwd|secret|token|key|auth|cred", re.IGNORECASE)
_TYPES: Final = lazily(
    r"(?:character varying|varchar|char|text|bytea|string|uuid|jsonb?|bigint|integer|int|timestamp|boolean|citext|btree|inet)"
    r"\b.*",
    re.IGNORECASE,
)
MASKS: Final = lazily(
    r"[\u2022\u25cf\u2588]{2,}|\*{3,}|\[(?:FILTERED|REDACTED|MASKED|HIDDEN|SECRET|REMOVED)\]|<(?:redacted|filtered|hidden|secret)>",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """True where `value` stands for a secret and is none: `[FILTERED]`, `${X}`, `nil`, a type, `params[:password]`."""
    return (
        _PLACEHOLDER.fullmatch(value[:200]) is not None
        or MASKS.search(value[:400]) is not None
        or bool(_TYPES.fullmatch(value))
    )


def is_code(value: str) -> bool:
    """True for what a program's text has in place of an unquoted value: a call, `user.password`, `get_token()`."""
    head = value[:200]
    if _CODE_CALL.fullmatch(head):
        return True
    return (
        _CODE_NAMES.fullmatch(head) is not None and _STEM.search(head) is not None and not any(map(str.isdigit, head))
    )


_SENTENCE_WORDS: Final = lazily(
    r"(?i)(?<![\w-])(?:de|du|des|le|la|les|un|une|et|ou|est|sont|doit|votre|vos|notre|pour|avec|par|of|the|a|an|is|are|be|must|your|our|to|for"
    r"|and|or|not|in|with|by|has|was|can|cannot|invalid|mots?|password|passphrase|tokens?|jetons?|secrets?|keys?|cl[ée]s?|api)(?![\w-])"
)


def is_sentence(value: str) -> bool:
    """True for words with blanks that say something: a label, a translation, an error."""
    head = value[:300].strip()
    return " " in head and _SENTENCE_WORDS.search(head) is not None


_SEGMENT: Final = lazily(r"[^\W_]+")
_WRITTEN: Final = lazily(
    r"[A-Z]?[a-zà-ÿ]+|[A-ZÀ-Ý]+|[0-9]{1,10}|[a-zA-Z]{1,12}[0-9]{1,3}|[vV]?[0-9]{1,3}[a-z]{0,3}|[A-Z]?[a-z]+(?:[A-Z][a-z]+)+"
)
_PATH: Final = lazily(
    r"(?:[.~]{0,2}/)?[\w.@+-]+(?:/[\w.@+-]+)*/?[\w@+-]*\.[A-Za-z][A-Za-z0-9]{0,5}|(?:/|\./|~/|\.\./).*|[a-z]+://[^@]*"
)
_TIME: Final = lazily(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?|[0-9]{1,2}:[0-9]{2}.*|[\d.,]+(?:ms|s|m|h|d|[kKMG]i?[bB]?)?"
)
_DIGEST: Final = lazily(r"(?:sha(?:1|224|256|384|512)|md5)[-:].*", re.IGNORECASE)
_DICTIONARY_LENGTH = 16


def looks_random(value: str, least: int = 8) -> bool:
    """True where `value` is drawn rather than written: an id, a hash or a key, and no path, date, host or phrase.

    A written value is one whose every piece between signs is a word, a short number, or a word with a short number.
    """
    if len(value) < least or " " in value or _TIME.fullmatch(value) or _DIGEST.fullmatch(value):
        return False
    pieces = _SEGMENT.findall(value[:400])
    if not pieces or (_PATH.fullmatch(value[:400]) and not any(_is_long_random(piece) for piece in pieces[:1])):
        return False
    return any(not _WRITTEN.fullmatch(piece) or _is_long_random(piece) for piece in pieces)


def _is_long_random(piece: str) -> bool:
    if len(piece) < _DICTIONARY_LENGTH:
        return False
    letters = sum(map(str.isalpha, piece))
    if letters == len(piece):
        return sum(map(str.isupper, piece)) > len(piece) // 5 and not piece.isupper()
    return not piece.isdigit()


def looks_made(value: str) -> bool:
    """True where `value` could be a password somebody chose: no word alone, no number alone, no path, no phrase."""
    if len(value) < 6 or " " in value or is_placeholder(value) or (value.isalpha() and value.istitle()):
        return False
    if _PATH.fullmatch(value) or _TIME.fullmatch(value) or _DIGEST.fullmatch(value):
        return False
    kinds = (any(map(str.isdigit, value)), any(map(str.islower, value)), any(map(str.isupper, value)))
    return sum(kinds) > 1 or any(not c.isalnum() for c in value[:-1])
