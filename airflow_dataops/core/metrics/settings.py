"""Where metrics go and what is sent, as the user writes it: one address per sink.

An address has the form of Airflow's connection URIs, so that a sink may be an Airflow connection
as well: `kind://login:password@host:port/path?option=value`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from airflow_dataops.core.metrics.tags import TagPolicy, clean_key, clean_value
from airflow_dataops.core.model import Struct
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.metrics.tags import Tags

CONNECTION = "conn"
"""The kind of an address that names an Airflow connection: `conn:ops_statsd`."""
CUSTOM = "import"
"""The kind of an address that names a class: `import:my_company.metrics.MySink`."""
_NAMED = (CONNECTION, CUSTOM)


class SinkSpec(Struct, frozen=True):
    """One sink as it was asked for.

    Attributes:
        kind: `statsd`, `dogstatsd`, `cloudwatch`, ...; `conn` or `import`.
        path: what follows the host; for `conn` and `import` the name.
        options: of the query; each sink says which it knows.
    """

    kind: str
    host: str = ""
    port: int | None = None
    path: str = ""
    login: str = ""
    password: str = ""
    options: dict[str, str] = {}

    def __str__(self) -> str:
        """Say where it is, without secrets."""
        if self.kind in _NAMED:
            return f"{self.kind}:{self.path}"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.kind}://{self.host}{port}{self.path}"

    __repr__ = __str__


class MetricSettings(Struct, frozen=True):
    """How metrics are sent.

    Attributes:
        sinks: addresses; none of them switches metrics off.
        flush_seconds: longest time that a measurement waits before it is sent.
        exit_seconds: longest time that a process waits at its end for what is still to be sent.
        max_series: so many series are kept apart in one process; others are added up under
            the name alone.
        task_events: whether tasks tell of their start and end as it happens.
    """

    sinks: tuple[str, ...] = ()
    policy: TagPolicy = TagPolicy()
    flush_seconds: float = 1.0
    exit_seconds: float = 1.0
    max_series: int = 2000
    task_events: bool = True


def parse_sink(address: str) -> SinkSpec:
    """Read one address.

    Raises:
        ConfigError: it is none; the text shows what is expected and no secret.
    """
    kind, _, rest = address.strip().partition(":")
    kind = kind.lower()
    if not rest or not re.fullmatch(r"[a-z][a-z0-9_+\-]*", kind):
        raise ConfigError(
            "[dataops] metrics_sinks: one of the addresses has no kind. Write "
            "kind://host:port, such as statsd://localhost:8125."
        )
    if kind in _NAMED:
        name, _, query = rest.partition("?")
        return SinkSpec(kind=kind, path=name.strip("/"), options=dict(parse_qsl(query)))
    parts = urlsplit(f"//{rest.removeprefix('//')}")
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigError(
            f"[dataops] metrics_sinks: the port of the {kind} sink is no number below 65536."
        ) from error
    return SinkSpec(
        kind=kind,
        host=parts.hostname or "",
        port=port,
        path=unquote(parts.path),
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        options=dict(parse_qsl(parts.query)),
    )


def parse_list(text: str) -> tuple[str, ...]:
    """Split at commas that start a new item, spaces and line ends; drop empty items."""
    return tuple(filter(None, re.split(r"[,\s]+", text)))


def parse_pairs(text: str) -> Tags:
    """Read `env=prod, team=data`.

    Raises:
        ConfigError: an item has no `=`.
    """
    found = []
    for item in parse_list(text):
        key, equals, value = item.partition("=")
        if not equals or not key or not value:
            raise ConfigError(
                f"[dataops] metrics_constant_tags: {item!r} is no pair; write env=prod."
            )
        found.append((clean_key(key), clean_value(value)))
    return tuple(sorted(found))
