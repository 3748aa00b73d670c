"""Secrets that are told by their names: `password=...`, `"token": "..."`, `IDENTIFIED BY '...'`.

A name is found by a search for the words that end it; what follows is read character by character:
a separator, then a value, quoted or not. Each character is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from airflow_dataops.core.masking.tokens import MASK

_NAME = re.compile(
    r"(?P<word>pass(?:words?|wd|phrase|code)|(?<=[A-Za-z0-9][_.])pass|(?<=--)pass"
    r"|(?<![A-Za-z])pass(?= ?=)"
    r"|(?<=[\"'])pass(?=[\"'])|(?:(?<![\s\S])|(?<=\n)|(?<=\n  )|(?<=\n    ))(?-i:pass)(?=:)"
    r"|(?<![A-Za-z0-9])(?:pw|otp|pat)(?= ?[=:])|secretstring"
    r"|(?:bind|root|admin|user|ldap|db)_?pw|pwd|secret|token"
    r"|(?:api|access|secret|private|account|shared|storage|master|encryption|signing|fernet"
    r"|integration|hmac|routing|auth|ssh|app|application|service[_-]account"
    r"|subscription|symmetric|client|service)[_-]?key"
    r"|secret[_-]id|(?<=secret)\.key|basic\.auth\.user\.info"
    r"|authorization|credentials?|connection[_ -]?string|session[_-]?id|cookie"
    r"|(?<![A-Za-z])sig|signature|(?<![A-Za-z])_auth|(?<=[?&])(?:key|code|auth)|(?<=_)auth(?= ?=)"
    r"|identified[ \t]{1,8}(?:with[ \t]{1,8}[\w\"']{1,64}[ \t]{1,8})?(?:by|as)"
    r"(?:[ \t]{1,8}(?:values|password))?)"
    r"(?:[_.-](?:content|value|text|string|plain(?:text)?|b64|base64|hash|data|base"
    r"|prod|production|dev|test|stage|staging|live|uat|qa|old|new|backup)|_?\d{1,3}|\[\d{1,3}\]|str(?=\())?"
    r"(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_QUOTE = r"(?:\\{0,16}[\"'`]|&quot;|&#3[49];|%2[27])"
_SEPARATOR = re.compile(
    rf"(?P<quote>{_QUOTE}?)\]?[ \t]{{0,8}}(?P<sign>[=-]>|:=|={{1,3}}|:|%3[AaDd]|>)[ \t]{{0,8}}"
)
_PAIRED = re.compile(rf"{_QUOTE}[ \t]{{0,8}},[ \t]{{0,8}}")
_NAMED = re.compile(
    rf"{_QUOTE}?[\s,]{{1,32}}{_QUOTE}?value{_QUOTE}?[ \t]{{0,8}}[:=][ \t]{{0,8}}", re.IGNORECASE
)
"""Between a name and its value in lists of both: `name: PASSWORD, value: x`."""
_IDENTIFIER = re.compile(r"[A-Za-z_]+\d?")
_LIST = re.compile(r"\[\s{0,8}[\"'][^\]\n]{0,512}\]")
_BLANKS = re.compile(r"[ \t]{1,8}")
_OPENING = re.compile(
    r"[bruefn@$]?(\\{0,64})(\"\"\"|\$\$|[\"'`]|&quot;|&#3[49];|%2[27])", re.IGNORECASE
)
_BEFORE_FLAG = re.compile(r"--?[\w-]{0,64}$")
_LINE_START = re.compile(r"[ \t]{0,64}(?:- )?[\"']?[\w.\-]{0,64}")
_LONGEST_START = 140
_BARE = re.compile(
    # `,`, `;`, `&` and `|` end a value only where something else begins.
    r"(?:[^\s,;&|<>]|[,;&|](?!\s|$|[\"'{\[]|[\w.%\-]{1,40} ?(?:[:=]|%3)))+",
)
_BLOCK = re.compile(r"[|>][+-]?\d?(?:\r?\n[ \t]+[^\n]*)+")
_ITEMS = re.compile(r"(?:\r?\n[ \t]{0,64}- [^\n]*)+")
_TAG = re.compile(r"![\w!\-]{1,32}[ \t]{1,8}(?=\S)")
"""Of a value in YAML."""
_SCHEMED = re.compile(r"[A-Za-z][\w-]{1,20}[ \t]{1,8}(?=[^\s,;])")
_AFTER = ")}]\"'`\\.,;:"
_PLACEHOLDER = re.compile(
    r"\*\*\*|\$\{\w{1,64}\}|\$[A-Z_]{1,64}|%\(\w{1,64}\)s|:[a-z_]{1,64}|\?|%s|\{\{.{0,200}\}\}"
)
_COLUMN = re.compile(
    r"(?:[\w\"`]{1,64}\.){1,3}[\"`]?\w{0,64}(?:password|token|secret|key|pwd)[\"`]?", re.IGNORECASE
)
_MASKED = re.compile(r"\*\*\*(?!\w)")
_HARMLESS = frozenset(
    {"null", "none", "true", "false", "yes", "no", "nil", "str", "string", "text", "bytes", "int"}
    | {"required", "missing", "invalid", "expired", "unknown", "empty", "wrong", "not", "is"}
    | {"", MASK, "...", "<hidden>", "(hidden)", "******"}
)
_SPACED = frozenset({"password", "passwd", "secret", "passphrase"})
"""Names that SQL and scripts put before a quoted value without a sign: `PASSWORD 'x'`."""
_TO_LINE_END = _SPACED | {"pwd", "passwords", "pass"}
"""Names whose values in YAML may have blanks in them."""
_LONG_ONLY = frozenset(
    {"signature", "sig", "key", "code", "auth", "sessionid", "session_id", "session-id"}
)
_PROSE = frozenset({"token", "credential", "credentials", "signature", "code"})
_TELLING = re.compile(
    r"[ \t]{1,8}(?:is|was|for[ \t]{1,8}(?:user[ \t]{1,8})?[\w.@\-]{1,64}:)[ \t]{1,8}", re.IGNORECASE
)
_SHORTEST_IN_PROSE = 8
_SHORT = re.compile(r"[A-Za-z]{1,20}")


class Span(NamedTuple):
    """Where a value is, and what is put there."""

    start: int
    end: int
    instead: str = MASK


def mask_values(text: str) -> str:
    """Return the text without the values of names such as `password`."""
    found: list[str] = []
    done = at = 0
    while match := _NAME.search(text, at):
        at = match.end()
        span = _value(text, match)
        if span is not None and span.end > span.start:
            found += (text[done : span.start], span.instead)
            done = at = span.end
    return "".join((*found, text[done:])) if found else text


def names_secret(name: object) -> bool:
    """Tell whether a name is that of a secret, such as `clientSecret`; `code` alone is not."""
    text = str(name)[-_LONGEST_START:]
    return any(match.end() == len(text) for match in _NAME.finditer(text))


def _value(text: str, name: re.Match[str]) -> Span | None:
    """Return the value of a name, None where there is none, or none that is secret."""
    word, end = name["word"].lower(), name.end()
    sign = _SEPARATOR.match(text, end)
    if sign is None:
        return _apart(text, end, word) or _spaced(text, name, word)
    if sign["sign"] == ">" and (sign["quote"] or not _is_tag(text, name.start())):
        return None
    start = sign.end()
    start = _past_tag(text, start) if sign["sign"] == ":" else start
    if quoted := _quoted(text, start):
        value = text[quoted.start : quoted.end].strip("\\\"'`")
        is_secret = value and not _PLACEHOLDER.fullmatch(value) and _is_long_enough(word, value)
        return quoted if is_secret else None
    if word == "authorization":
        return _authorization(text, start)
    if word == "cookie":
        return Span(start, _end_of_line(text, start))
    if word not in _PROSE and (several := _LIST.match(text, start)):
        return Span(start, several.end())
    if text.startswith("(", start) or (sign["sign"] == ":" and text.startswith(("{", "["), start)):
        return None
    if block := _BLOCK.match(text, start) or (word in _TO_LINE_END and _ITEMS.match(text, start)):
        return Span(start, block.end())
    is_yaml = sign["sign"] == ":" and text[start - 1 : start] == " " and word in _TO_LINE_END
    if is_yaml and _begins_line(text, name.start()):
        return _bare_line(text, start, word)
    return _bare(text, start, word)


def _past_tag(text: str, start: int) -> int:
    tag = _TAG.match(text, start)
    return tag.end() if tag else start


def _apart(text: str, end: int, word: str) -> Span | None:
    """Return a value of a call, of a pair (`"password", "x"`), or beside its name in a list."""
    if named := _NAMED.match(text, end):
        return _quoted(text, named.end()) or _bare(text, named.end(), word)
    if text.startswith("(", end):
        return None if word in _PROSE else _quoted(text, end + 1)
    pair = _PAIRED.match(text, end)
    value = _quoted(text, pair.end()) if pair else None
    # Names of columns stand beside each other, too.
    is_name = value and _IDENTIFIER.fullmatch(text[value.start + 1 : value.end - 1])
    return None if is_name else value


def _spaced(text: str, name: re.Match[str], word: str) -> Span | None:
    """Return a value that follows its name after blanks: in SQL, and after a flag."""
    blanks = _BLANKS.match(text, name.end())
    if blanks is None:
        return None
    if word in _SPACED and (told := _TELLING.match(text, name.end())):
        return _of_prose(text, told.end(), word)
    start = blanks.end()
    if word.startswith("identified"):
        return _quoted(text, start) or _bare(text, start, word)
    if _BEFORE_FLAG.search(text, max(0, name.start() - 66), name.start()):
        if text.startswith("-", start):
            return None
        return _quoted(text, start) or _bare(text, start, word)
    # `SESSION_TOKEN 'x'`, as DuckDB and Redshift have it; "token 'x'" is prose.
    is_compound = "_" in name[0] or text[name.start() - 1 : name.start()] == "_"
    return _quoted(text, start) if word in _SPACED or is_compound else None


def _of_prose(text: str, start: int, word: str) -> Span | None:
    """Return what a sentence calls a password, where it looks like one and not like a word."""
    span = _quoted(text, start) or _bare(text, start, word)
    value = text[span.start : span.end] if span else ""
    return span if len(value) >= _SHORTEST_IN_PROSE and re.search(r"\d", value) else None


def _quoted(text: str, start: int) -> Span | None:
    """Return a quoted value with its quotes; those may be escaped, as JSON in JSON has them."""
    opening = _OPENING.match(text, start)
    if opening is None:
        return None
    slashes, quote = len(opening[1]), opening[2]
    at = text.find(quote, opening.end())
    while at >= 0:
        before = at
        while before > opening.end() and text[before - 1] == "\\":
            before -= 1
        after = at + len(quote)
        if at - before > slashes:
            at = text.find(quote, after)
        elif slashes == 0 and quote == "'" and text.startswith(quote, after) and at > opening.end():
            # SQL doubles a quote that is part of the value.
            at = text.find(quote, after + 1)
        else:
            return Span(start, after)
    return Span(start, _end_of_line(text, start))


def _bare(text: str, start: int, word: str) -> Span | None:
    """Return a value without quotes."""
    if text.startswith("{", start) and (end := text.find("}", start, start + 512)) > 0:
        # As ODBC quotes: PWD={a;b}.
        return None if text.startswith("{{", start) else Span(start, end + 1)
    match = _BARE.match(text, start)
    if match is None or _MASKED.match(match[0]):
        return None
    placeholder = _PLACEHOLDER.match(match[0])
    if placeholder and not match[0][placeholder.end() :].strip(_AFTER):
        return None
    value = match[0].rstrip(_AFTER)
    return Span(start, start + len(value)) if _counts(word, value) else None


def _bare_line(text: str, start: int, word: str) -> Span | None:
    """Return a value that goes to the end of its line, as in YAML."""
    value = text[start : _end_of_line(text, start)].partition(" #")[0].rstrip()
    if ", " in value:
        return _bare(text, start, word)
    return Span(start, start + len(value)) if _counts(word, value) else None


def _authorization(text: str, start: int) -> Span:
    """Return the scheme and the credentials of a header; some take all of the line."""
    scheme = _SCHEMED.match(text, start)
    if scheme is None:
        return _bare(text, start, "authorization") or Span(start, start)
    if scheme[0].strip().lower().startswith(("digest", "aws4", "hawk", "oauth", "signature")):
        return Span(start, _end_of_line(text, start))
    credentials = _bare(text, scheme.end(), "password")
    end = credentials.end if credentials else scheme.end()
    return Span(start, end, f"{MASK} {MASK}")


def _counts(word: str, value: str) -> bool:
    """Tell whether a value without quotes is no placeholder, no column and no word of prose."""
    if value.lower() in _HARMLESS or _PLACEHOLDER.fullmatch(value) or _COLUMN.fullmatch(value):
        return False
    if not _is_long_enough(word, value) or (word == "pass" and value.isdigit()):
        # dbt counts: PASS=3.
        return False
    return not (word in _PROSE and _SHORT.fullmatch(value) and len(value) > 3 and value.islower())


def _is_long_enough(word: str, value: str) -> bool:
    return word not in _LONG_ONLY or len(value) >= 8


def _is_tag(text: str, at: int) -> bool:
    """Tell whether a name is that of an XML element: `<db:password>`."""
    start = text.rfind("<", max(0, at - 64), at)
    return start >= 0 and all(c.isalnum() or c in ":._-" for c in text[start + 1 : at])


def _begins_line(text: str, at: int) -> bool:
    """Tell whether a line up to there is nothing but the start of a name."""
    line = text.rfind("\n", max(0, at - _LONGEST_START), at) + 1
    return (line > 0 or at < _LONGEST_START) and bool(_LINE_START.fullmatch(text, line, at))


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
