"""Stateless: whether a claim can be run twice without its first run changing the second."""

from __future__ import annotations

import dis
import enum
import os
import re
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Values without a state of their own.
_FIXED = (
    *(bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, enum.Enum, os.PathLike),
    *(re.Pattern, type, types.ModuleType, types.BuiltinFunctionType),
)
_OURS = "lengthprobe"
_SET_A_GLOBAL = ("STORE_GLOBAL", "DELETE_GLOBAL")


def is_stateless(function: Callable[..., Any]) -> bool:
    """Whether a function, with all Python functions that it names, uses nothing that can change.

    A list or an iterator of the module may be used up by a first run; so may any object with a state. What is
    not known to be fixed counts as a state.
    """
    seen: set[types.FunctionType] = set()
    return all(_is_fixed(value, seen) for value in _used(function, seen))


def _used(function: Callable[..., Any], seen: set[types.FunctionType]) -> Iterator[Any]:
    """The values that a function uses, but for its arguments; an open list where it sets a global name."""
    while isinstance(function, types.MethodType | types.FunctionType) and hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    if not isinstance(function, types.FunctionType):
        yield function
        return
    seen.add(function)
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from (cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell))
    for code in _codes(function.__code__):
        if any(step.opname in _SET_A_GLOBAL for step in dis.get_instructions(code)):
            yield []
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)


def _is_fixed(value: Any, seen: set[types.FunctionType]) -> bool:
    if isinstance(value, tuple | frozenset):
        return all(_is_fixed(each, seen) for each in value)
    if isinstance(value, types.FunctionType):
        is_ours = value.__module__.partition(".")[0] == _OURS
        return is_ours or value in seen or all(_is_fixed(each, seen) for each in _used(value, seen))
    # Marks of pytest, and the like, are of classes that a library made.
    return isinstance(value, _FIXED) or type(value).__module__.partition(".")[0] in (_OURS, "_pytest")


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code of a function, with that of the functions and comprehensions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
