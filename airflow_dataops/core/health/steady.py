"""Whether what is looked at again and again has stopped changing."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from airflow_dataops.core.health.watches import Seen, Sight
from airflow_dataops.core.model import Struct


class Steady(Struct, frozen=True):
    """What was seen last, and since when it is so. A new one has seen nothing."""

    mark: str | None = None
    since: datetime | None = None

    def after(self, sight: Sight, now: datetime) -> Steady:
        """Return this after one more look. A look that found nothing out changes nothing."""
        if sight.seen in (Seen.ERRORED, Seen.WRONG):
            return self
        if self.since is not None and sight.mark == self.mark:
            return self
        return Steady(mark=sight.mark, since=now)

    def judged(self, sight: Sight, steady_for: timedelta, now: datetime) -> Sight:
        """Return a sight that is met only once it has been the same for so long."""
        if sight.seen is not Seen.MET or not steady_for:
            return sight
        held = now - (self.since or now)
        if held >= steady_for:
            return sight
        message = f"{sight.message} Unchanged for {held}; {steady_for} is waited for."
        return replace(sight, seen=Seen.WAITING, message=message)
