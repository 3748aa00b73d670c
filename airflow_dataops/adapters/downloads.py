"""Remote files as local ones: asked for seldom, downloaded once, kept while the origin is down.

All processes of a host share what was downloaded. The origin is asked at most once in `every`
seconds, and then with the validator of the copy, so that what did not change is not sent again.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol

import msgspec

from airflow_dataops.adapters.download_cache import DownloadCache, DownloadState
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

_ATTEMPTS = 3
_ENDS = 256
"""Bytes at the start and at the end of a download that are looked at."""
_names: dict[str, str] = {}


class OriginError(Exception):
    """The origin did not give the file.

    Attributes:
        reason: why, without secrets.
        may_pass: whether the same request may succeed in a moment.
    """

    def __init__(self, reason: str, *, may_pass: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_pass = may_pass


class Sink(Protocol):
    """What takes a download."""

    def write(self, data: bytes, /) -> object:
        """Take a piece. Raises `OriginError` when that is too much."""


class Origin(Protocol):
    """Where a remote file comes from."""

    @property
    def identity(self) -> str:
        """What tells it from all others."""

    @property
    def name(self) -> str:
        """What to call it in messages; without secrets."""

    def bring(self, validator: str, into: Sink) -> str | None:
        """Write the file's content, unless it is still the one of `validator` (empty for none).

        Returns:
            The validator of what was written; None when nothing changed.

        Raises:
            OriginError: there is no answer, or no good one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How remote files are kept.

    Attributes:
        every: least seconds between two requests of this host for a file.
        max_age: seconds for which the last good copy serves while requests fail.
        patience: seconds to wait for another process that downloads, where there is no copy.
        largest: bytes that all copies of this host may take.
        largest_file: bytes that one file may have, unpacked.
    """

    every: float = 30.0
    max_age: float = 24 * 3600.0
    patience: float = 120.0
    largest: int = 2 * 1024**3
    largest_file: int = 256 * 1024**2


def local_copy(origin: Origin, policy: Policy, told: str = "") -> Path:
    """Return a file of this host with the content of a remote file.

    Args:
        told: the file's validator, where a listing told it; then a request is only made when
            it is not that of the copy.

    Raises:
        ConfigError: it cannot be had, and there is no copy that is young enough.
    """
    copies = DownloadCache(origin.identity, origin.name)
    state = copies.read()
    if _is_due(state, policy, told):
        try:
            state = _renewed(copies, origin, policy, told)
        except OSError as error:
            raise ConfigError(
                f"{origin.name} cannot be kept in {copies.folder} ({error.strerror}); let the user "
                "that runs Airflow write there"
            ) from error
    path = copies.folder / _usable(state, origin, policy, told)
    name_file(path, origin.name)
    return path


def name_file(path: Path, name: str) -> None:
    """Have a file called by where it came from, in the messages of this process."""
    _names[str(path)] = name


def name_of(path: Path) -> str:
    """Return what to call a file in messages: where it came from, if this process brought it."""
    return _names.get(str(path), str(path))


def _is_due(state: DownloadState, policy: Policy, told: str) -> bool:
    """Tell whether to ask the origin."""
    is_fresh = 0 <= time.time() - state.checked < policy.every
    if not state.copy:
        return not (is_fresh and state.failure)
    if told:
        return state.validator != told and not (is_fresh and state.failure)
    return not is_fresh or (_is_old(state, policy) and not state.failure)


def _is_old(state: DownloadState, policy: Policy) -> bool:
    """Tell whether the copy may not serve any more."""
    return time.time() - state.good > max(policy.max_age, policy.every)


def _usable(state: DownloadState, origin: Origin, policy: Policy, told: str) -> str:
    """Return the name of the copy, unless it is too old."""
    reason = state.failure or "another process has been downloading it for too long"
    if not state.copy:
        raise ConfigError(f"{origin.name} cannot be had: {reason}")
    if told and state.validator == told:
        return state.copy
    age = time.time() - state.good
    if _is_old(state, policy):
        raise ConfigError(
            f"{origin.name} cannot be had: {reason}. The last good copy is from "
            f"{_time(age)} ago, older than the {_time(policy.max_age)} that it may serve for"
        )
    if not state.failure:
        return state.copy
    log.warning(
        "%s cannot be had: %s; the copy from %s ago is used, for at most %s more",
        origin.name,
        state.failure,
        _time(age),
        _time(policy.max_age - age),
    )
    return state.copy


def _renewed(copies: DownloadCache, origin: Origin, policy: Policy, told: str) -> DownloadState:
    """Ask the origin, unless another process does or did."""
    state = copies.read()
    patience = 0.0 if state.copy and not _is_old(state, policy) else policy.patience
    with copies.locked(patience) as is_ours:
        state = copies.read()
        if not is_ours or not _is_due(state, policy, told):
            return state
        state = msgspec.structs.replace(state, checked=time.time())
        if state.copy:
            # Should this process be killed while it waits, the next one does not wait again.
            copies.write(state)
        state = _asked(copies, origin, state, told, policy)
        copies.write(state)
        if state.copy:
            copies.evict(state.copy, policy.largest)
        return state


def _asked(
    copies: DownloadCache, origin: Origin, state: DownloadState, told: str, policy: Policy
) -> DownloadState:
    try:
        with copies.scratch() as file:
            validator = _retried(lambda: _bring(origin, state.validator, file, policy))
            if validator is not None:
                _check(file)
                name = copies.keep(file)
                now = time.time()
                return DownloadState(name, told or validator, checked=now, good=now)
    except OriginError as error:
        return msgspec.structs.replace(state, failure=error.reason, checked=time.time())
    now = time.time()
    validator = told or state.validator
    return DownloadState(state.copy, validator, checked=now, good=now)


def _bring(origin: Origin, validator: str, file: IO[bytes], policy: Policy) -> str | None:
    file.seek(0)
    file.truncate()
    return origin.bring(validator, _Bounded(file, policy))


class _Bounded:
    """A file that takes so many bytes and no more."""

    def __init__(self, file: IO[bytes], policy: Policy) -> None:
        self._file = file
        self._policy = policy
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take a piece."""
        self._size += len(data)
        if self._size > self._policy.largest:
            raise OriginError(
                "it is larger than all downloads of this host may be together; raise "
                "downloads_megabytes in the section [dataops] of Airflow's configuration",
                may_pass=False,
            )
        if self._size > self._policy.largest_file:
            raise OriginError(
                f"it is larger than {self._policy.largest_file / 1024**2:.0f} MB; raise "
                "source_largest_megabytes in the section [dataops] of Airflow's configuration",
                may_pass=False,
            )
        self._file.write(data)


def _retried(bring: Callable[[], str | None]) -> str | None:
    """Try a few times, within seconds, where that may help."""
    try:
        import tenacity
    except ImportError:
        return bring()
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(_ATTEMPTS) | tenacity.stop_after_delay(10),
        wait=tenacity.wait_exponential(multiplier=0.2, max=2),
        retry=tenacity.retry_if_exception(lambda e: isinstance(e, OriginError) and e.may_pass),
        reraise=True,
    )
    return retrying(bring)


def _check(file: IO[bytes]) -> None:
    """Refuse what is no JSON object at first sight: a login page, half a file."""
    file.flush()
    size = file.seek(0, 2)
    file.seek(0)
    start = file.read(_ENDS).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(max(0, size - _ENDS))
    end = file.read().rstrip()
    if start.startswith(b"<"):
        raise OriginError(
            "it answered with a web page (HTML or XML) instead of JSON; is that a login page? "
            "Name an Airflow connection that may read it by conn_id",
            may_pass=False,
        )
    if not start.startswith(b"{"):
        raise OriginError("what came is no JSON object, so no manifest", may_pass=False)
    if not end.endswith(b"}"):
        raise OriginError("what came is cut off: the JSON has no end", may_pass=False)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
