"""How long to wait before the next attempt."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tenacity import RetryCallState, wait_exponential_jitter

_WAIT = wait_exponential_jitter(initial=2, max=900, exp_base=2, jitter=1)


def pause(attempts: int, retry_after: float | None = None) -> timedelta:
    """Return the pause after so many failed attempts: 2, 4, 8 seconds up to 15 minutes.

    A receiver that asks for more is obeyed, up to an hour.
    """
    nothing: Any = None
    state = RetryCallState(nothing, None, (), {})
    # Beyond this the power only grows; the wait is at its greatest long before.
    state.attempt_number = min(max(attempts, 1), 30)
    asked = min(retry_after or 0.0, 3600.0)
    return timedelta(seconds=max(_WAIT(state), asked))
