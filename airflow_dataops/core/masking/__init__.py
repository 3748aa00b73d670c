"""Takes out of a text what looks like a secret, whoever wrote it in."""

from __future__ import annotations

import traceback
from typing import Any

from airflow_dataops.core.masking.commands import mask_commands
from airflow_dataops.core.masking.tokens import MASK, mask_tokens
from airflow_dataops.core.masking.values import mask_values, names_secret

__all__ = ["MASK", "mask", "mask_all", "mask_error", "mask_trace"]


def mask(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the text with known secrets, and what has the form of one, as `***`.

    It takes time in proportion to the length of the text, whatever is in it.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, MASK)
    return mask_values(mask_commands(mask_tokens(text)))


def mask_all(value: Any) -> Any:
    """Return plain data with every text in it masked, and what is under the name of a secret."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        named = names_secret(value.get("name") or value.get("key"))
        return {
            key: _hidden(each)
            if names_secret(key) or (named and key == "value")
            else mask_all(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_all(each) for each in value]
    return value


def _hidden(value: Any) -> Any:
    """Return plain data without any text in it: all of it is under the name of a secret."""
    if isinstance(value, dict):
        return {key: _hidden(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(each) for each in value]
    return MASK if isinstance(value, str) and value else value


def mask_error(error: BaseException, longest: int = 2000) -> str:
    """Return an error as `Class: text`, masked."""
    text = mask(str(error))[:longest]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def mask_trace() -> str:
    """Return the traceback of the error that is being handled, masked."""
    return mask(traceback.format_exc())
