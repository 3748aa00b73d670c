"""Apprise: one URL per service (extra `alerts`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message


def notify(url: str, message: Message) -> None:
    """Send a message to an Apprise URL.

    Raises:
        ConfigError: Apprise does not know this kind of URL.
        ReceiverError: the service did not take it; Apprise does not say why.
    """
    try:
        import apprise
    except ImportError:
        raise MissingExtraError("Receiver apprise", "alerts") from None
    service = apprise.Apprise()
    if not service.add(url):
        kind = url.partition("://")[0]
        raise ConfigError(f"Apprise cannot read the {kind}:// URL of this connection.")
    kind = apprise.NotifyType.FAILURE
    if message.action is Action.RESOLVE:
        kind = apprise.NotifyType.SUCCESS
    elif message.tier is Tier.NICE_TO_HAVE:
        kind = apprise.NotifyType.WARNING
    if not service.notify(
        title=message.title, body=message.text or message.title, notify_type=kind
    ):
        raise ReceiverError("the service behind Apprise did not take it")
