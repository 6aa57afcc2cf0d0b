"""What stands between StackStorm's actions and the library: configuration in, `(ok, result)` out.

A StackStorm action is handed in; nothing of StackStorm is imported. Every result begins with a `summary` that a person
can read; a failure keeps its result, for StackStorm loses that of an exception.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional, Tuple

from placement_recovery.config import Config
from placement_recovery.errors import DispatchFailed, PlacementRecoveryError
from placement_recovery.records.stores import Store, open_store
from placement_recovery.recovery.context import Context, open_context

ActionResult = Tuple[bool, Dict[str, Any]]


def with_context(
    action: Any,
    call: Callable[[Context], Dict[str, Any]],
    recovery_id: str = "",
    first: Callable[[Config, Store], Optional[Dict[str, Any]]] = lambda _config, _store: None,
) -> ActionResult:
    """Open the context of an action and return what `call` makes of it; a failure bears the recovery's id too.

    What `first` returns is the result already, before anybody logs in to the cloud.
    """

    def opened() -> Dict[str, Any]:
        config = Config.from_mapping(action.config or {})
        early = first(config, open_store(config, action.action_service))
        return early or call(open_context(config, action.action_service))

    return _result(action, opened, recovery_id)


def with_store(action: Any, call: Callable[[Store], Dict[str, Any]], recovery_id: str = "") -> ActionResult:
    """The same for what needs the store only, and so works while the cloud does not answer."""

    def opened() -> Dict[str, Any]:
        return call(open_store(Config.from_mapping(action.config or {}), action.action_service))

    return _result(action, opened, recovery_id)


def without_context(action: Any, call: Callable[[], Dict[str, Any]]) -> ActionResult:
    """The same for what needs neither the cloud nor the store."""
    return _result(action, call, "")


def _result(action: Any, call: Callable[[], Dict[str, Any]], recovery_id: str) -> ActionResult:
    try:
        return True, call()
    except PlacementRecoveryError as error:
        return False, _failure(error, str(error), recovery_id)
    except Exception as error:  # a defect of ours: the trace goes to the log, the reason still to the person
        action.logger.exception("unexpected")
        what = f"unexpected {type(error).__name__}: {error}. Nothing more was done; show_recoveries shows what stands"
        return False, _failure(error, what, recovery_id)


def _failure(error: Exception, message: str, recovery_id: str) -> Dict[str, Any]:
    done = error.result if isinstance(error, DispatchFailed) else {}
    summary = " ".join(message.split())
    return {**done, "summary": summary, "recovery_id": recovery_id, "state": "failed", "error": type(error).__name__}
