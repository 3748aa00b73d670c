"""What has the form of a secret is taken out; the rest stays."""

from __future__ import annotations

import pytest

from airflow_dataops.core.masking import mask, mask_all


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://ada:hunter2@db/shop", "postgresql://ada:***@db/shop"),
        ("password=hunter2, host=db", "password=***, host=db"),
        ('{"token": "abc", "n": 1}', '{"token": ***, "n": 1}'),
        ("https://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com/services/***"),
        ("xoxb-1-2-abc is revoked", "*** is revoked"),
        ("Authorization: Bearer abcdefghij", "Authorization: *** ***"),
        ("AKIAABCDEFGHIJKLMNOP", "***"),
        ("orders is late, see https://airflow/log", "orders is late, see https://airflow/log"),
    ],
)
def test_mask(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_known_secrets_go_wherever_they_are() -> None:
    assert mask_all({"a": ["x", {"b": "pwd: y"}], "n": 1}) == {
        "a": ["x", {"b": "pwd: ***"}],
        "n": 1,
    }
    assert mask("open sesame!", ("sesame",)) == "open ***!"
