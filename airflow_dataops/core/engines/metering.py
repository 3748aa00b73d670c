"""What engines tell of costs."""

from __future__ import annotations

from enum import StrEnum


class Metering(StrEnum):
    """How the costs of queries are told."""

    JOBS = "each job has its bytes and slots"
    WAREHOUSES = "warehouses use credits, which their queries share"
