"""Addresses of sinks: what they say, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from airflow_dataops.core.metrics.settings import SinkSpec, parse_list, parse_pairs, parse_sink
from airflow_dataops.errors import ConfigError


def test_an_address_has_the_form_of_a_connection_uri() -> None:
    assert parse_sink("otlps://key:s%40crets@host.example:4318/v1/metrics?timeout=2") == SinkSpec(
        kind="otlps",
        host="host.example",
        port=4318,
        path="/v1/metrics",
        login="key",
        password="s@crets",
        options={"timeout": "2"},
    )


def test_a_connection_and_a_class_are_named() -> None:
    assert parse_sink("conn:ops") == SinkSpec(kind="conn", path="ops")
    own = parse_sink("import:shop.metrics.Sink?colour=red")
    assert own == SinkSpec(kind="import", path="shop.metrics.Sink", options={"colour": "red"})


def test_a_sink_shows_no_secret() -> None:
    spec = parse_sink("otlp://user:topsecret@host:1/x?token=alsosecret")
    for text in (str(spec), repr(spec)):
        assert "secret" not in text
    assert str(spec) == "otlp://host:1/x"


@pytest.mark.parametrize("address", ["localhost", "://x", "statsd", "1:2"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="statsd://localhost:8125"):
        parse_sink(address)


def test_a_port_is_a_number() -> None:
    with pytest.raises(ConfigError, match="the port of the statsd sink"):
        parse_sink("statsd://localhost:eight")


def test_lists_and_pairs() -> None:
    assert parse_list("a, b\n  c ,,") == ("a", "b", "c")
    assert parse_pairs("team=data, env=prod") == (("env", "prod"), ("team", "data"))
    with pytest.raises(ConfigError, match="'env' is no pair"):
        parse_pairs("env")
