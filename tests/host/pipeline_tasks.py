"""What the pipelines of the tests run."""

from __future__ import annotations

from typing import Any

from airflow.sdk import task


def do(*args: Any, **kwargs: Any) -> list[int]:
    return [1, 2, 3]


def choose(**context: Any) -> str:
    return "process"


def told(context: Any) -> None: ...


@task
def extract(source: str) -> list[int]:
    return [1, 2, 3]


@task(retries=2)
def add(x: int, y: int = 1) -> int:
    return x + y


@task.branch
def pick(way: str) -> str:
    return way
