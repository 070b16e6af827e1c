"""The dataclasses of the domain: frozen to the type checker, quick to declare and cheap to make at run time."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def fact(kind: type[T]) -> type[T]:
    """Make a class a dataclass that nobody may change once it is made.

    The type checker sees to that. Python's own guard sets every member through `object.__setattr__`, which would be a tenth of
    the time that placing an order takes. Comparing and showing are the same code for all: compiling them for each of some
    fifty classes would be a twentieth of the time that a server takes to start.
    """
    return _made(kind, kw_only=True)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """Make a class a dataclass as `fact` does, whose members may be given by position."""
    return _made(kind, kw_only=False)


def _made(kind: type[T], *, kw_only: bool) -> type[T]:
    kind.__eq__ = _is_equal  # type: ignore[method-assign]
    kind.__hash__ = _hash  # type: ignore[assignment, method-assign]
    kind.__repr__ = _shown  # type: ignore[method-assign]
    return dataclass(slots=True, kw_only=kw_only, eq=False, repr=False)(kind)


if TYPE_CHECKING:
    from dataclasses import replace as replace  # noqa: PLC0414 (exported)
else:

    def replace(made: T, /, **changes: Any) -> T:
        """Return a copy with other members, as `dataclasses.replace` does at several times the price."""
        copy = _copier(type(made))(made)
        for name, member in changes.items():
            setattr(copy, name, member)
        return copy


@cache
def _copier(kind: Any) -> Callable[[Any], Any]:
    """Return what copies a fact of a class: written out member by member, as dataclasses write their `__init__`."""
    lines = [
        "def copier(made):",
        " copy = new(kind)",
        *(f" copy.{member.name} = made.{member.name}" for member in fields(kind)),
    ]
    made: dict[str, Any] = {"kind": kind, "new": object.__new__}
    exec("\n".join([*lines, " return copy"]), made)  # noqa: S102 (names of our own members)
    copier: Callable[[Any], Any] = made["copier"]
    return copier


def _members(made: Any) -> dict[str, Any]:
    return {member.name: getattr(made, member.name) for member in fields(made)}


def _is_equal(made: object, other: object) -> bool:
    return _members(made) == _members(other) if type(other) is type(made) else NotImplemented


def _hash(made: object) -> int:
    return hash(tuple(_members(made).values()))


def _shown(made: object) -> str:
    members = ", ".join(f"{name}={value!r}" for name, value in _members(made).items())
    return f"{type(made).__name__}({members})"
