"""Lets the registry's orquesta 1.2.0 (written for Python 3.8 and earlier) be imported by newer Pythons.

``load_orquesta()`` comes before the first import of anything else of orquesta. Each shim gives back a name or a
leniency that Python took away.
"""

from __future__ import annotations

import collections
import collections.abc
import fractions
import importlib
import math
import re
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

_INLINE_FLAG = "(?i)"


def load_orquesta(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Import orquesta, its expressions knowing ``functions`` (by name) beside its own."""
    _put_back_names()
    catalog = importlib.import_module("orquesta.expressions.functions.base").load()
    # The evaluators copy the catalog when they are imported, which the import of almost anything else causes.
    catalog.update(functions)
    if sys.version_info >= (3, 11):
        _import_with_lenient_patterns("orquesta.utils.parameters")


def _put_back_names() -> None:
    if not hasattr(fractions, "gcd"):  # gone in 3.9; networkx 1.11
        fractions.gcd = math.gcd  # type: ignore[attr-defined]
    for name in ("Mapping", "MutableMapping", "MutableSequence", "Sequence", "Iterable"):  # gone in 3.10
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    if sys.version_info >= (3, 13):
        _stub_lib2to3()


def _stub_lib2to3() -> None:
    """Three names that networkx 1.11 imports and never uses on Python 3."""
    names = {
        "lib2to3": (),
        "lib2to3.pgen2": (),
        "lib2to3.pgen2.parse": ("ParseError",),
        "lib2to3.pgen2.tokenize": ("TokenError",),
        "lib2to3.refactor": ("RefactoringTool",),
    }
    for name, attributes in names.items():
        module = sys.modules.setdefault(name, types.ModuleType(name))
        for attribute in attributes:
            setattr(module, attribute, type(attribute, (Exception,), {}))


def _import_with_lenient_patterns(module: str) -> None:
    """Import a module that uses a pattern with an inline flag in its middle, which 3.11 refuses."""
    findall = re.findall

    def lenient(pattern: Any, string: str, flags: Any = 0) -> Any:
        if isinstance(pattern, str) and _INLINE_FLAG in pattern[1:]:
            pattern, flags = pattern.replace(_INLINE_FLAG, ""), flags | re.IGNORECASE
        return findall(pattern, string, flags)

    # Only that module sees the lenient findall: it reaches re through its own global.
    parameters: Any = importlib.import_module(module)
    parameters.re = types.SimpleNamespace(findall=lenient, sub=re.sub)
