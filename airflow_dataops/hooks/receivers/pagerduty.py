"""PagerDuty's Events API v2, by the official provider and PagerDuty's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pagerduty
from airflow.providers.pagerduty.hooks.pagerduty_events import (
    PagerdutyEventsHook,
    prepare_event_data,
)
from airflow.sdk import BaseHook

from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.hooks.receivers import TIMEOUT, seconds_of

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message

_SEVERITY = {Tier.CRITICAL: "critical", Tier.IMPORTANT: "error", Tier.NICE_TO_HAVE: "warning"}


class _OnceClient(pagerduty.EventsApiV2Client):
    """Tries once: by itself it would try for minutes, on 429 for ever; the outbox tries again."""

    max_network_attempts = 0
    timeout = TIMEOUT  # type: ignore[assignment] # what its own class has

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.retry = {}

    def postprocess(self, response: Any) -> None:
        if response.status_code == 429:
            raise pagerduty.HttpError("rate limited", response)


class PagerDutyReceiver:
    """Args: `conn_id`, a connection with the integration key as its password.

    The incident's id is the `dedup_key`: updates, escalation steps and repeated sending add to
    one PagerDuty alert, and the resolve closes it. PagerDuty notifies nobody of what it adds, so
    an update that raises the severity has a key of its own, and the resolve closes that too. The
    connection's host names another service region, such as `events.eu.pagerduty.com`.
    """

    def __init__(self, conn_id: str) -> None:
        self._hook = PagerdutyEventsHook(pagerduty_events_conn_id=conn_id)
        host = BaseHook.get_connection(conn_id).host
        self._address = f"https://{host.removeprefix('https://')}" if host else None

    def send(self, message: Message) -> None:
        """Enqueue an event, or one for each key; see `Receiver.send`."""
        event = event_of(message)
        action = event.pop("action")
        try:
            with _OnceClient(self._hook.integration_key, base_url=self._address) as client:
                for key in _keys(message):
                    client.send_event(action, **event | {"dedup_key": key})
        except pagerduty.HttpError as error:
            answer: Any = error.response
            status = answer.status_code
            raise ReceiverError(
                f"PagerDuty answered {status}: {answer.text[:200]}",
                retry_after=seconds_of(answer.headers.get("Retry-After")),
                whole=status != 400,
            ) from None
        except (pagerduty.Error, OSError) as error:
            raise ReceiverError(f"PagerDuty cannot be reached: {error}") from None


def _keys(message: Message) -> list[str]:
    raised = [f"{message.incident}-{tier}" for tier in message.raised]
    if message.action is Action.RESOLVE:
        return [message.incident, *raised]
    return raised or [message.incident]


def event_of(message: Message) -> dict[str, Any]:
    """Return the arguments of an event.

    The format is https://developer.pagerduty.com/docs/send-alert-event; a summary has at most
    1,024 characters. Links must be https or http.
    """
    event: dict[str, Any] = prepare_event_data(
        summary=message.title[:1024],
        severity=_SEVERITY[message.tier],
        source=message.subject or "airflow",
        custom_details={**message.facts, "alerts": message.count, "text": message.text},
        # One more trigger of its key adds to an alert.
        action="resolve" if message.action is Action.RESOLVE else "trigger",
        dedup_key=message.incident,
        links=[{"href": href, "text": label} for label, href in message.links.items()],
    )
    if message.action is Action.RESOLVE:
        event.pop("links", None)
    return event
