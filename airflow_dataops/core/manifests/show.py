"""Values in messages: written as JSON, as authors know them, and short."""

from __future__ import annotations

import msgspec

from airflow_dataops.core.masking import mask, mask_all

_LONGEST = 60


def show(value: object) -> str:
    """Return a value as JSON, cut to a length that fits a sentence."""
    text = mask(msgspec.json.encode(mask_all(value)).decode())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
