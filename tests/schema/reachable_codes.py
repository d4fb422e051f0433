"""Codes of user errors that the code behind a mutation can raise, found in its functions.

Follows the names that a function uses to functions and classes of the project. It may find codes
that cannot happen, and misses none that is raised by the name of its class.
"""

from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from shop.errors import ErrorCode, ShopError

_FOLLOWED = ("shop.actions", "shop.pricing", "schema.", "shop.gateways")


def reachable_codes(mutation: Any) -> set[ErrorCode]:
    """Codes that `mutation`, a subclass of Mutation, can return."""
    found: set[ErrorCode] = set()
    seen: set[int] = set()
    waiting: list[Any] = [mutation]
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, type) and issubclass(item, ShopError):
            found.add(item.code)
            waiting.extend(_methods(item))
        elif isinstance(item, type):
            waiting.extend(_methods(item))
        elif isinstance(item, MethodType | staticmethod | classmethod):
            waiting.append(item.__func__)
        elif isinstance(item, FunctionType):
            waiting.extend(_used(item))
        elif isinstance(item, dict):
            waiting.extend(value for value in item.values() if _is_ours(value))
    return found


def _methods(item: type) -> Iterator[Any]:
    for base in item.__mro__:
        if base.__module__.startswith(_FOLLOWED):
            for value in vars(base).values():
                if isinstance(value, FunctionType | staticmethod | classmethod):
                    yield value


def _used(function: FunctionType) -> Iterator[Any]:
    """Names in a function: globals, and attributes of the modules among them."""
    if hasattr(function, "__wrapped__"):
        yield function.__wrapped__
    names = set(_names(function.__code__))
    for cell in function.__closure__ or ():
        if _is_ours(cell.cell_contents):
            yield cell.cell_contents
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, ModuleType):
            yield from (
                getattr(value, one)
                for one in names
                if value.__name__.startswith(("shop.", "schema.", "shop"))
                and _is_ours(getattr(value, one, None))
            )
        elif _is_ours(value):
            yield value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_ours(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_ours(one) for one in value.values())
    if isinstance(value, type) and issubclass(value, ShopError):
        return True
    module = getattr(value, "__module__", None) or ""
    return isinstance(value, type | FunctionType | staticmethod | MethodType) and module.startswith(
        _FOLLOWED
    )
