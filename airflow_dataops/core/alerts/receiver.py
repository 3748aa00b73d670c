"""The port through which messages leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from airflow_dataops.errors import RetryableError

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message


class ReceiverError(RetryableError):
    """A receiver did not take a message.

    Attributes:
        retry_after: seconds it asks to wait, None where it does not say.
        whole: whether it would not take another message either (it is down or busy); if not,
            it is this message that it does not like.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, whole: bool = True) -> None:
        super().__init__(text)
        self.retry_after = retry_after
        self.whole = whole


class Receiver(Protocol):
    """Who takes messages. It answers within seconds or gives up by itself."""

    def send(self, message: Message) -> None:
        """Hand a message over; return once the other side has it.

        Raises:
            ReceiverError: it was not taken. It is sent again later, with the same key.
        """
