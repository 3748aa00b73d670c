"""Values in messages: written as JSON, as authors know them, and short."""

from __future__ import annotations

import msgspec

_LONGEST = 60


def show(value: object) -> str:
    """Return a value as JSON, cut to a length that fits a sentence."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
