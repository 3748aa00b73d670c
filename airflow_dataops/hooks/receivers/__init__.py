"""The `Receiver` port over Airflow connections: `kind:rest` -> a receiver.

========================================  ======================================================
`slack:conn_id`, `slack:conn_id#channel`  a connection of type Slack Incoming Webhook or Slack API
`pagerduty:conn_id`                       a connection of type Pagerduty Events
`email:ada@example.com,bob@example.com`   through connection `smtp_default`
`email:conn_id/ada@example.com`           through another connection of type SMTP
`apprise:conn_id`                         a connection whose password is an Apprise URL
`import:my_company.alerts.MyReceiver`     a class of one's own, made without arguments
========================================  ======================================================
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.sla.misses import RECEIVERS
from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.receiver import Receiver

TIMEOUT = 10
"""Seconds for one message; far below the outbox's lease."""


def open_receiver(address: str) -> Receiver:
    """Make the receiver of an address.

    Raises:
        ConfigError: the address is none, or its connection or class is not there.
        MissingExtraError: the provider or library is not installed.
    """
    kind, _, rest = address.partition(":")
    if kind == "import":
        made: Receiver = _load(rest)()
        return made
    if kind not in RECEIVERS or not rest:
        known = ", ".join(RECEIVERS)
        raise ConfigError(f"{address!r} is no receiver; its kinds are {known}, import.")
    try:
        receiver: Receiver = _load(f"{__name__}.{RECEIVERS[kind]}")(rest)
    except ImportError as error:
        raise MissingExtraError(f"Receiver {kind} ({error})", "alerts") from error
    return receiver


def seconds_of(retry_after: object) -> float | None:
    """Return the seconds that a `Retry-After` asks for: a number or a date; None for neither."""
    text = str(retry_after or "").strip()
    if text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    now = datetime.now(at.tzinfo or UTC)
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (AttributeError, ValueError):
        raise ConfigError(f"import:{path}: there is no such class.") from None
