"""Masks what Airflow knows to be secret, and what has the form of a secret."""

from __future__ import annotations

from airflow.sdk._shared.secrets_masker import redact

from airflow_dataops.core.masking import mask


def redacted(text: str) -> str:
    """Return the text without passwords of connections read in this process, tokens and keys."""
    return mask(str(redact(text)))
