"""Bounds on time that hold on a busy machine too."""

from __future__ import annotations

import os


def at_most(seconds: float) -> float:
    """Return a bound that a quiet machine keeps, as much longer as this one is busier now."""
    waiting = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, 3 * waiting)
