"""Slack, by the official provider: incoming webhooks and `chat.postMessage`."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from airflow.providers.slack.hooks.slack import SlackHook
from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook
from airflow.sdk import BaseHook
from slack_sdk.errors import SlackApiError, SlackClientError

from airflow_dataops.core.alerts.alert import Action
from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.core.sla.misses import Tier
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.receivers import TIMEOUT, seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.core.alerts.alert import Message

_COLOURS = {Tier.CRITICAL: "#d1242f", Tier.IMPORTANT: "#bf8700", Tier.NICE_TO_HAVE: "#6e7781"}
_SOLVED = "#1a7f37"
_FAULTY = ("invalid_blocks", "msg_too_long", "no_text", "invalid_attachments", "invalid_payload")
"""Slack's words for a message that it will never like; all else concerns the receiver."""


class SlackReceiver:
    """Args: `address`, the connection's id, and for `chat.postMessage` also `#channel`."""

    def __init__(self, address: str) -> None:
        conn_id, _, self._channel = address.partition("#")
        self._webhook: SlackWebhookHook | None = None
        self._api: SlackHook | None = None
        # The outbox tries again by itself, with the same key; the clients must not.
        once: dict[str, Any] = {"timeout": TIMEOUT, "retry_handlers": []}
        if BaseHook.get_connection(conn_id).conn_type == SlackWebhookHook.conn_type:
            self._webhook = SlackWebhookHook(slack_webhook_conn_id=conn_id, **once)
        elif self._channel:
            self._api = SlackHook(slack_conn_id=conn_id, **once)
        else:
            raise ConfigError(f"slack:{conn_id} needs a channel: slack:{conn_id}#channel.")

    def send(self, message: Message) -> None:
        """Post a message; see `Receiver.send`."""
        try:
            if self._webhook is not None:
                self._post_to_webhook(self._webhook, message)
            elif self._api is not None:
                self._post(self._api, message)
        except (OSError, HTTPException, SlackClientError) as error:
            if isinstance(error, SlackApiError):
                raise _refused(error) from None
            raise ReceiverError(f"Slack cannot be reached: {error}") from None

    def _post_to_webhook(self, hook: SlackWebhookHook, message: Message) -> None:
        answer = hook.client.send_dict(slack_body(message))
        if answer.status_code != 200:
            raise ReceiverError(
                f"Slack answered {answer.status_code}: {answer.body[:200]}",
                retry_after=_retry_after(answer.headers),
                whole=answer.body.strip() not in _FAULTY,
            )

    def _post(self, hook: SlackHook, message: Message) -> None:
        body = slack_body(message) | {
            "channel": self._channel if _is_id(self._channel) else f"#{self._channel}",
        }
        hook.call("chat.postMessage", json=body)


def slack_body(message: Message) -> dict[str, Any]:
    """Return a message in Slack's wire format.

    The format is https://docs.slack.dev/messaging/formatting-message-text; the metadata
    (https://docs.slack.dev/messaging/message-metadata) carry the key.
    """
    solved = message.action is Action.RESOLVE
    title = _escape(message.title)
    block = {"type": "section", "text": {"type": "mrkdwn", "text": _escape(message.text)[:2900]}}
    return {
        "text": f"{':white_check_mark:' if solved else ':rotating_light:'} {title}",
        "attachments": [
            {
                "color": _SOLVED if solved else _COLOURS[message.tier],
                "fallback": title,
                "blocks": [block] if message.text else [],
            }
        ],
        "metadata": {
            "event_type": "dataops_alert",
            "event_payload": {
                "key": message.key,
                "incident": message.incident,
                "action": str(message.action),
            },
        },
    }


def _refused(error: SlackApiError) -> ReceiverError:
    answer = error.response
    said = answer.get("error") if isinstance(answer.data, dict) else None
    return ReceiverError(
        f"Slack answered {answer.status_code}: {said or str(answer.data)[:200]}",
        retry_after=_retry_after(answer.headers),
        whole=said not in _FAULTY,
    )


def _retry_after(headers: Mapping[str, Any]) -> float | None:
    found = {name.lower(): value for name, value in headers.items()}.get("retry-after")
    return seconds_of(found[0] if isinstance(found, list) and found else found)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _is_id(channel: str) -> bool:
    return channel[:1] in "CGD" and channel.isupper() and channel.isalnum() and len(channel) > 7
