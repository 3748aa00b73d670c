"""Callbacks that put an alert into the outbox. They talk to no receiver and never raise.

`raise_alert` follows the routes of the alerts file. `AlertNotifier` does too, or tells the
receivers that it is given.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseNotifier

from airflow_dataops.callbacks.contexts import alert_of_context
from airflow_dataops.core.alerts.config import Group, GroupBy, Route, parse_config
from airflow_dataops.core.sla.misses import Tier, hashed
from airflow_dataops.core.sla.policies import CallbackRef
from airflow_dataops.hooks.alerts import alert_service
from airflow_dataops.hooks.masking import redacted
from airflow_dataops.hooks.sla_callbacks import call_on_sla_miss

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_dataops.core.alerts.alert import Alert

__all__ = ("AlertNotifier", "call_on_sla_miss", "raise_alert", "raise_alert_async")
LOG = logging.getLogger("airflow_dataops.alerts")


def raise_alert(context: Mapping[str, Any], receivers: Sequence[str] = (), **more: Any) -> bool:
    """Raise an alert for what a callback is told; return whether it is new.

    Usable as `on_sla_miss`, `on_failure_callback` (of tasks and DAGs) and, given to
    `SyncCallback`, for deadlines.

    Args:
        context: see `SlaMissContext`, or Airflow's.
        receivers: who is told, such as `slack:ops#alerts`; the routes of the alerts file decide
            where there are none.
        more: `tier` and `title` replace those of the alert; its `context` has the rest.
    """
    try:
        return _raise(context, tuple(receivers), more)
    except Exception as error:  # noqa: BLE001 - whatever is wrong here, the run goes on
        LOG.error("An alert is lost: %s: %s", type(error).__name__, redacted(str(error)))
        return False


async def raise_alert_async(
    context: Mapping[str, Any] | None = None, receivers: Sequence[str] = (), **more: Any
) -> bool:
    """Do the same in the triggerer: for `AsyncCallback` of Airflow's deadlines.

    Airflow passes the context of a deadline as `context`.
    """
    return await asyncio.to_thread(raise_alert, context or {}, receivers, **more)


class AlertNotifier(BaseNotifier):
    """The same as an Airflow notifier: `on_failure_callback=AlertNotifier("slack:ops")`.

    Args:
        receivers: who is told, one or several; the routes of the alerts file decide where there
            are none.
        tier: `critical`, `important` or `nice_to_have`.
        title: a Jinja template, rendered by Airflow with the task's context.
    """

    template_fields = ("title",)

    def __init__(
        self,
        receivers: str | Sequence[str] = (),
        *more: str,
        tier: str | None = None,
        title: str | None = None,
    ) -> None:
        super().__init__()
        first = (receivers,) if isinstance(receivers, str) else tuple(receivers)
        self.receivers = first + more
        _check(self.receivers)
        self.tier = Tier(tier) if tier else None
        self.title = title

    def as_callback_ref(self) -> CallbackRef:
        """Return it as data, for `on_sla_miss`."""
        given = {"receivers": list(self.receivers), "tier": self.tier, "title": self.title}
        kwargs = {name: value for name, value in given.items() if value}
        return CallbackRef(path=f"{__name__}.{type(self).__name__}", kwargs=kwargs)

    def notify(self, context: Any) -> None:
        """Put the alert into the outbox."""
        raise_alert(context, self.receivers, tier=self.tier, title=self.title)

    async def async_notify(self, context: Any) -> None:
        """Put the alert into the outbox, from the triggerer."""
        await raise_alert_async(context, self.receivers, tier=self.tier, title=self.title)


def _raise(context: Mapping[str, Any], receivers: tuple[str, ...], more: dict[str, Any]) -> bool:
    tier = more.pop("tier", None)
    alert = alert_of_context(context, Tier(tier) if tier else None)
    title = more.pop("title", None)
    plain = alert.context | {name: str(value) for name, value in more.items()}
    alert = msgspec.structs.replace(alert, title=title or alert.title, context=plain)
    return alert_service().alert(_without_secrets(alert), _route(receivers))


def _without_secrets(alert: Alert) -> Alert:
    """Mask what Airflow knows to be secret in this process."""
    return msgspec.structs.replace(
        alert,
        title=redacted(alert.title),
        facts={label: redacted(value) for label, value in alert.facts.items()},
        links={label: redacted(value) for label, value in alert.links.items()},
        context={label: redacted(str(value)) for label, value in alert.context.items()},
    )


def _route(receivers: tuple[str, ...]) -> Route | None:
    if not receivers:
        return None
    name = f"direct {hashed(*receivers)}"
    return Route(name=name, receivers=receivers, group=Group(by=GroupBy.CAUSE))


def _check(receivers: tuple[str, ...]) -> None:
    """Say what is wrong with receivers when the DAG is parsed.

    Raises:
        ConfigError: one is none.
    """
    if receivers:
        parse_config({"routes": [{"receivers": list(receivers)}]}, "AlertNotifier")
