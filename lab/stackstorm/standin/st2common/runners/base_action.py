"""The base class of Python actions, with StackStorm's constructor (st2common/runners/base_action.py)."""

from __future__ import annotations

import abc
import logging
from typing import Any, Dict, Optional


class PackConfigDict(Dict[str, Any]):
    """The pack's configuration; like StackStorm's, a missing key is a ValueError that names the pack and the key."""

    def __init__(self, pack: str, values: Dict[str, Any]) -> None:
        super().__init__(values)
        self._pack = pack

    def __missing__(self, key: str) -> Any:
        raise ValueError(f'Config for pack "{self._pack}" is missing key "{key}".')


class Action(abc.ABC):
    """What each Python action inherits: ``config``, ``logger`` (to stderr) and ``action_service`` (the datastore)."""

    description: Optional[str] = None

    def __init__(self, config: Optional[Dict[str, Any]] = None, action_service: Any = None) -> None:
        wrapper = getattr(action_service, "_action_wrapper", None)
        self.config = PackConfigDict(getattr(wrapper, "_pack", "unknown"), config or {})
        self.action_service = action_service
        self.logger = action_logger(type(self).__name__, getattr(wrapper, "_log_level", "debug"))

    @abc.abstractmethod
    def run(self, **kwargs: Any) -> Any:
        """Do the work; answers ``(ok, result)``, or a plain result, which means success."""


def action_logger(name: str, level: str) -> logging.Logger:
    """The action's logger: lines of ``level`` and above go to stderr, as StackStorm's do."""
    logger = logging.getLogger("actions.python." + name)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(name)-12s: %(levelname)-8s %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(getattr(logging, level.upper(), logging.DEBUG))
    return logger
