"""An incident -> the text of a message, by Jinja in its sandbox."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_dataops.core.alerts.alert import Action, Message
from airflow_dataops.core.masking import mask
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jinja2 import Template

    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.config import Templates
    from airflow_dataops.core.sla.misses import Tier

LOG = logging.getLogger("airflow_dataops.alerts")
_TITLE = """\
{% if action == "resolve" %}Solved: {% elif step %}Still open: \
{% elif action == "update" %}Update: {% endif -%}
{{ alert.title }}{% if count > 1 %} (and {{ count - 1 }} more with the same cause){% endif %}"""
# Who is late stands first, for receivers cut what is too long for them.
_TEXT = """\
{% if count > 1 %}{% if action == "update" %}New{% else %}All {{ count }}{% endif %}: \
{% for each in alerts %}{{ each.subject or each.title }}\
{% if each.tier != tier %} ({{ each.tier }}){% endif %}\
{% if not loop.last %}, {% endif %}{% endfor %}\
{% if among > alerts|length %} and {{ among - alerts|length }} more{% endif %}

Cause: {{ alert.cause or alert.title }}
{% endif %}{% for label, value in alert.facts.items() %}{{ label }}: {{ value }}
{% endfor %}{% for label, address in alert.links.items() %}{{ label }}: {{ address }}
{% endfor %}Incident: {{ incident }}"""
_NAMES = 1500
"""Characters for the names of alerts; those that do not fit are counted."""
_ENVIRONMENT = ImmutableSandboxedEnvironment(autoescape=False, keep_trailing_newline=False)


def check_templates(templates: Templates) -> None:
    """Compile the templates.

    Raises:
        ConfigError: one is no Jinja; says where.
    """
    for name, source in (("title", templates.title), ("text", templates.text)):
        try:
            _ENVIRONMENT.parse(source)
        except TemplateSyntaxError as error:
            raise ConfigError(f"$.messages.{name}, line {error.lineno}: {error.message}") from None


def make_message(
    key: str,
    incident: str,
    action: Action,
    *,
    step: int,
    alerts: Sequence[Alert],
    count: int,
    among: int,
    tier: Tier,
    at: datetime,
    templates: Templates,
) -> Message:
    """Write the message about an incident.

    Args:
        alerts: some of its alerts, what matters most first; one at least.
        count: how many it has.
        among: how many `alerts` is some of: of an update, those that are new.
        tier: the worst of all, also of those that are not among `alerts`.
    """
    first = alerts[0]
    values = {
        "alert": first,
        "alerts": _fitting(alerts),
        "count": count,
        "among": among,
        "tier": tier,
        "incident": incident,
        "action": str(action),
        "step": step,
        "context": first.context,
    }
    return Message(
        key=key,
        incident=incident,
        action=action,
        title=mask(" ".join(_render(templates.title, _TITLE, values).split()))[:250],
        text=mask(_render(templates.text, _TEXT, values).strip())[:4000],
        at=at,
        tier=tier,
        owner=first.owner,
        subject=first.subject,
        step=step,
        count=count,
        facts=first.facts,
        links=first.links,
    )


def _fitting(alerts: Sequence[Alert]) -> Sequence[Alert]:
    """Return the first ones whose names fit into a message; one at least."""
    room = _NAMES
    for number, each in enumerate(alerts):
        room -= len(each.subject or each.title) + 20
        if room < 0:
            return alerts[: max(number, 1)]
    return alerts


def _render(source: str, default: str, values: dict[str, Any]) -> str:
    if source:
        try:
            return _template(source).render(values)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            LOG.warning("A template of alerts failed, the usual text is sent: %s", mask(str(error)))
    return _template(default).render(values)


@lru_cache(maxsize=16)
def _template(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)
