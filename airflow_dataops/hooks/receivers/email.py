"""E-mail, by the official SMTP provider."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk.exceptions import AirflowException

from airflow_dataops.core.alerts.receiver import ReceiverError
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.receivers import TIMEOUT

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message


class _OnceHook(SmtpHook):
    """Tries once: the outbox tries again. Five times 30 s would outlast its lease."""

    @property
    def smtp_retry_limit(self) -> int:
        return 0

    @property
    def timeout(self) -> int:
        return min(TIMEOUT, super().timeout)


class EmailReceiver:
    """Args: `address`, `[conn_id/]ada@example.com[,bob@example.com]`."""

    def __init__(self, address: str) -> None:
        conn_id, slash, to = address.rpartition("/")
        self._conn_id = conn_id if slash else "smtp_default"
        self._to = [each.strip() for each in to.split(",") if each.strip()]
        if not self._to or not all("@" in each for each in self._to):
            raise ConfigError(f"email:{address}: write email:[conn_id/]name@example.com.")

    def send(self, message: Message) -> None:
        """Send a mail; see `Receiver.send`. Trigger and resolve are one thread."""
        thread = f"<{message.incident}@airflow-dataops>"
        headers = {"Message-ID": f"<{message.key}@airflow-dataops>", "X-Dataops-Key": message.key}
        if message.step or message.action != "trigger":
            headers |= {"In-Reply-To": thread, "References": thread}
        try:
            with _OnceHook(smtp_conn_id=self._conn_id) as hook:
                hook.send_email_smtp(
                    to=list(self._to),
                    from_email=hook.from_email or hook.smtp_user or self._to[0],
                    subject=message.title,
                    html_content=html_of(message),
                    mime_subtype="alternative",
                    custom_headers=headers,
                )
        except (OSError, AirflowException) as error:
            # smtplib's exceptions are OSErrors. A refused recipient is no server that is down.
            refused = type(error).__name__ in ("SMTPRecipientsRefused", "SMTPDataError")
            raise ReceiverError(
                f"the mail server did not take it: {error}", whole=not refused
            ) from None


def html_of(message: Message) -> str:
    """Return the message as a small page, everything in it escaped."""
    rows = "".join(
        f"<tr><td><b>{escape(label)}</b></td><td>{escape(value)}</td></tr>"
        for label, value in message.facts.items()
    )
    links = " | ".join(
        f'<a href="{escape(href)}">{escape(label)}</a>'
        for label, href in message.links.items()
        if href.startswith(("https://", "http://"))
    )
    return (
        f"<h3>{escape(message.title)}</h3><table>{rows}</table><p>{links}</p>"
        f"<pre>{escape(message.text)}</pre>"
    )
