"""Takes out of a text what looks like a secret, whoever wrote it in."""

from __future__ import annotations

import re
from typing import Any

MASK = "***"
_PATTERNS = (
    # scheme://login:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:/@]*:)[^\s@/]+@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(r"(hooks\.slack\.com/services/)[\w/]+", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(r"(/services/)T\w+/B\w+/\w+"), rf"\1{MASK}"),
    (re.compile(r"\bxox[a-z]-[\w-]+"), MASK),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=\-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END|$)", re.DOTALL), MASK),
    (
        re.compile(
            r"""((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|"""
            r"""integration[_-]?key|routing[_-]?key|authorization)["']?\s*[:=]\s*)"""
            r"""(?:"[^"]*"|'[^']*'|[^\s,;&)}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the text with known secrets, and what has the form of one, as `***`."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def mask_all(value: Any) -> Any:
    """Return plain data with every text in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: mask_all(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [mask_all(each) for each in value]
    return value
