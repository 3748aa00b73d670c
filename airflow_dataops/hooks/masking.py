"""Masks what Airflow knows to be secret, and what has the form of a secret."""

from __future__ import annotations

from airflow.sdk._shared.secrets_masker import redact


def redacted(text: str) -> str:
    """Return the text without passwords of connections read in this process, tokens and keys."""
    # It knows the forms of many secrets: only where something is told.
    from airflow_dataops.core.masking import mask

    return mask(str(redact(text)))
