"""An incident -> the text of a message, by Jinja in its sandbox."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from airflow_dataops.core.alerts.alert import Action, Message
from airflow_dataops.core.alerts.masking import mask
from airflow_dataops.core.ledger.misses import Tier
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from jinja2 import Template

    from airflow_dataops.core.alerts.alert import Alert
    from airflow_dataops.core.alerts.config import Templates

LOG = logging.getLogger("airflow_dataops.alerts")
_TITLE = """\
{% if action == "resolve" %}Solved: {% elif step %}Still open: {% endif -%}
{{ alert.title }}{% if count > 1 %} (and {{ count - 1 }} more with the same cause){% endif %}"""
_TEXT = """\
{% for label, value in alert.facts.items() %}{{ label }}: {{ value }}
{% endfor %}{% if count > 1 %}Cause: {{ alert.cause }}
All {{ count }}: {% for each in alerts %}{{ each.subject or each.title }}\
{% if not loop.last %}, {% endif %}{% endfor %}\
{% if count > alerts|length %} and {{ count - alerts|length }} more{% endif %}

{% endif %}{% for label, address in alert.links.items() %}{{ label }}: {{ address }}
{% endfor %}"""
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
    at: datetime,
    templates: Templates,
) -> Message:
    """Write the message about an incident.

    Args:
        alerts: some of its alerts, oldest first; one at least.
        count: how many it has.
    """
    first = alerts[0]
    values = {
        "alert": first,
        "alerts": alerts,
        "count": count,
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
        tier=min((each.tier for each in alerts), key=list(Tier).index),
        owner=first.owner,
        subject=first.subject,
        step=step,
        count=count,
        facts=first.facts,
        links=first.links,
    )


def _render(source: str, default: str, values: dict[str, Any]) -> str:
    if source:
        try:
            return _template(source).render(values)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            LOG.warning("A template of alerts failed, the usual text is sent: %s", error)
    return _template(default).render(values)


@lru_cache(maxsize=16)
def _template(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)
