"""Cases that are too small to be tests of their own: what pytest does around a test takes longer than the case itself."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, cast

import pytest

Test = Callable[..., Any]
_NAMED = type(pytest.param())


def in_turn(names: str | tuple[str, ...], cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Like `pytest.mark.parametrize`, but one test tries every case in turn, and tells all that failed, each with its case."""
    called = (names,) if isinstance(names, str) else names
    given = [dict(zip(called, _values(case, names), strict=True)) for case in cases]
    assert given, f"there are no cases of {names}"

    def decorate(test: Test) -> Test:
        @wraps(test)
        def tried(**fixtures: Any) -> None:
            _told(_failure(case, test, fixtures) for case in given)

        @wraps(test)
        async def awaited(**fixtures: Any) -> None:
            _told([await _awaited_failure(case, test, fixtures) for case in given])

        wrapper: Any = awaited if inspect.iscoroutinefunction(test) else tried
        signature = inspect.signature(test)
        wanted = [parameter for name, parameter in signature.parameters.items() if name not in called]
        wrapper.__signature__ = signature.replace(parameters=wanted)
        return cast(Test, wrapper)

    return decorate


def _values(case: Any, names: str | tuple[str, ...]) -> tuple[Any, ...]:
    if isinstance(case, _NAMED):
        return tuple(case.values)
    return (case,) if isinstance(names, str) else case


def _failure(case: dict[str, Any], test: Test, fixtures: dict[str, Any]) -> Exception | None:
    try:
        test(**fixtures, **case)
    except Exception as fault:
        return _noted(fault, case)
    return None


async def _awaited_failure(case: dict[str, Any], test: Test, fixtures: dict[str, Any]) -> Exception | None:
    try:
        await test(**fixtures, **case)
    except Exception as fault:
        return _noted(fault, case)
    return None


def _noted(fault: Exception, case: dict[str, Any]) -> Exception:
    fault.add_note(f"in the case of {case!r}")
    return fault


def _told(failures: Iterable[Exception | None]) -> None:
    failed = [failure for failure in failures if failure]
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise ExceptionGroup(f"{len(failed)} cases failed", failed)
