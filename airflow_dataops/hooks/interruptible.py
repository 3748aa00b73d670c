"""Long calls that a signal can end, whatever the library does meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def call_interruptibly(call: Callable[..., Any], *arguments: Any, stop: Callable[[], None]) -> Any:
    """Call a function so that signal handlers of this process run meanwhile.

    Python runs them in the main thread, between two steps of its own. DuckDB may keep that
    thread busy for the whole of a query, and Airflow's `on_kill` comes by a signal. So in the
    main thread the call goes to a thread of its own, and this one waits.

    Args:
        stop: makes the call end soon; used when a handler raises, before that is passed on.
    """
    if threading.current_thread() is not threading.main_thread():
        return call(*arguments)
    future: Future[Any] = Future()
    thread = threading.Thread(target=_fulfil, args=(future, call, arguments), daemon=True)
    thread.start()
    try:
        return future.result()
    except BaseException:  # a signal, or what the call raised, which is over then
        if not future.done():
            stop()
        raise
    finally:
        thread.join()


def _fulfil(future: Future[Any], call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        future.set_result(call(*arguments))
    except BaseException as error:  # noqa: BLE001 - it is raised again in the waiting thread
        future.set_exception(error)
