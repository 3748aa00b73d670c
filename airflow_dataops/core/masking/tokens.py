"""Secrets that tell what they are: tokens of known services, key blocks, passwords in URLs.

The forms are those that the services document, and that secret scanners look for (GitHub, GitLab,
Slack, AWS, Google, Azure, Databricks, dbt Cloud, ...). All patterns start with fixed text and have
bounded lengths, so that a search is linear.
"""

from __future__ import annotations

import re

MASK = "***"

_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----"
    r".*?(?:-----END [A-Z0-9 ]{0,60}-----|\Z)",
    re.DOTALL,
)
_AWS_PAIR = re.compile(
    r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16})(?P<between>[\s:,;|/\"']{1,5})[A-Za-z0-9/+]{40}"
    r"(?![A-Za-z0-9/+])"
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[opusr]_[A-Za-z0-9]{16,255}|github_pat_[A-Za-z0-9_]{16,255}|gl[a-z]{2,6}-[\w-]{16,255}"
    r"|xox[a-z]-[\w-]{1,255}|xapp-[\w-]{8,255}"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|AIza[\w-]{30,64}|ya29\.[\w-]{16,512}|GOCSPX-[\w-]{16,64}"
    r"|eyJ[\w-]{8,1024}+\.[\w-]{1,8192}+(?:\.[\w-]{1,4096}+){0,3}"
    r"|sk-[\w-]{20,255}|[sr]k_(?:live|test)_[A-Za-z0-9]{8,255}|whsec_[A-Za-z0-9+/=]{16,255}"
    r"|SG\.[\w-]{8,128}\.[\w-]{8,128}|npm_[A-Za-z0-9]{30,64}|pypi-[\w-]{40,512}"
    r"|dapi[0-9a-f]{32}(?:-\d)?|dbt[cu]_[\w-]{16,255}|hf_[A-Za-z0-9]{20,64}"
    r"|hv[sbr]\.[\w-]{16,512}|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
    r"|sq0(?:atp|csp)-[\w-]{16,64}|EAACEdEose0cBA\w{8,255}|ATATT3[\w=-]{16,255}"
    r"|lin_api_\w{20,64}|pul-[0-9a-f]{40}|PMAK-[\w-]{20,128}|dckr_[po]at_[\w-]{16,64}"
    r"|NRAK-[A-Z0-9]{20,64}|ph[cx]_\w{30,64}|tskey-[\w-]{16,128}|xkeysib-[\w-]{40,128}"
    r"|ntn_\w{30,64}|r8_\w{30,64}|gsk_\w{30,64}|sntry[su]_[\w=+/-]{16,512}"
    r"|secret_[A-Za-z0-9]{36,64}|(?<!-)key-[0-9a-f]{32}(?![0-9a-f])"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{20,80}|SK[0-9a-f]{32}(?![0-9a-f])|bot\d{6,12}:[\w-]{30,64}"
    r")"
)
_HOOK = re.compile(
    r"(hooks\.zapier\.com/hooks/catch/|hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/"
    r"|webhook\.office\.com/|outlook\.office\.com/webhook/"
    r"|/services/(?=T\w{1,32}/B\w{1,32}/\w))[^\s\"'<>]{1,1024}",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Basic|Bearer)[ \t]{1,8}([\w.~+/=\-]{8,8192})", re.IGNORECASE)
_MIXED = re.compile(r"[0-9=+/._~]|[a-z][A-Z]")

_AUTHORITY = re.compile(r"[^\s\"'<>`]{1,512}")
_PORT = re.compile(r"\d{1,5}(?:[/?#]|$)")
_TO_HOST = re.compile(r".*@(?=[\w\[\-])")
_MAIL = re.compile(r"[^\s:/?#@]{1,128}@[\w.-]{1,128}(?=:(?!\d{1,5}(?:[/?#]|$)))")
"""A user that is an address of mail, before its password."""
_LONGEST_USER = 256


def mask_tokens(text: str) -> str:
    """Return the text without tokens of known forms, key blocks and passwords in URLs."""
    if "PRIVATE KEY" in text:
        text = _BLOCK.sub(MASK, text)
    text = _AWS_PAIR.sub(rf"{MASK}\g<between>{MASK}", text)
    text = _TOKEN.sub(MASK, text)
    text = _HOOK.sub(rf"\1{MASK}", text)
    text = _SCHEME.sub(_without_credentials, text)
    return _mask_urls(text) if "://" in text else text


def _without_credentials(match: re.Match[str]) -> str:
    """Mask what follows `Bearer`, unless it is a word: "basic authentication"."""
    return f"{match[1]} {MASK}" if _MIXED.search(match[2]) else match[0]


def _mask_urls(text: str) -> str:
    """Mask the passwords in URLs, also where `/`, `@`, `:`, `?` and `#` in them are not encoded.

    The password is what is between the first colon and the last `@` that a host may follow.
    """
    found: list[str] = []
    done = 0
    at = text.find("://")
    while at >= 0:
        start = at + 3
        match = _AUTHORITY.match(text, start) if text.find("@", start, start + 512) > 0 else None
        span = _password(match[0], text[max(0, at - 5) : at].lower()) if match else None
        if span is not None:
            found += (text[done : start + span[0]], MASK)
            done = start + span[1]
        at = text.find("://", max(start, done))
    return "".join((*found, text[done:])) if found else text


def _password(authority: str, scheme: str) -> tuple[int, int] | None:
    """Return from where to where a password goes; also a user that is a token, None for none."""
    to_host = _TO_HOST.match(authority)
    if to_host is None:
        return None
    end = to_host.end() - 1
    named = _MAIL.match(authority, 0, end)
    user = named[0] if named else re.split(r"[:/?#@]", authority[:end], maxsplit=1)[0]
    rest = authority[len(user) : end]
    is_token = len(user) >= 20 and any(map(str.isdigit, user)) and not user.isdigit()
    if rest == "" or (is_token and scheme.endswith(("http", "https"))):
        return (0, end) if is_token else None
    if not rest.startswith(":") or len(user) > _LONGEST_USER:
        return None
    if scheme.endswith(("http", "https")) and _PORT.match(rest, 1):
        return None
    return len(user) + 1, end
