"""What a journal counts for an entry is the memory that the entry takes."""

import gc
import sys
from collections.abc import Callable
from itertools import count

from msgspec.structs import replace

from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.events import CheckboxesAnswered, Event, PurchaseDenied, PurchasePlaced, SessionUpdated
from mock_klarna.domain.journal import CALLBACK, Entry, Exchange, Sent, entry_size
from mock_klarna.errors import Problem

Data = Exchange | Sent | Event
Text = Callable[[int], str]


def exchange(
    text: Text, headers: int = 20, problems: int = 0, path: int = 30, body: int = 0, value: int = 0
) -> Exchange:
    return Exchange(
        method="GET",
        path=text(path),
        status=404,
        correlation_id=text(36),
        duration=float(text(5)),
        request_headers=tuple((name, text(headers)) for name in ("Host", "User-Agent", "Content-Type")),
        request_body=text(body).encode(),
        problems=tuple(problem(text, value) for _ in range(problems)),
    )


def problem(text: Text, value: int) -> Problem:
    return Problem(text(20), "type", [{text(10): text(10)} for _ in range(value)], text(60)).shown()


def sent(text: Text, headers: int = 5, answer: int = 10) -> Sent:
    names = tuple((text(12), text(20)) for _ in range(headers))
    attempt = Attempt(
        at=float(text(5)),
        duration=float(text(4)),
        outcome="answered",
        answer=text(answer).encode(),
        answer_headers=names,
    )
    return Sent(callback_id=text(36), url=text(50), number=1, request_body=text(90).encode(), attempt=attempt)


def injected(text: Text) -> dict[str, object]:
    return {"fault_id": text(36), "status": int("5" + text(2)), "drop": True}


SHAPES: dict[str, Callable[[Text], Data]] = {
    "a tiny request": lambda text: exchange(text, headers=1, path=5),
    "a usual request": lambda text: exchange(text, body=900),
    "large headers": lambda text: exchange(text, headers=8000),
    "a long path": lambda text: exchange(text, path=8000),
    "many problems": lambda text: exchange(text, problems=200),
    "problems of large values": lambda text: exchange(text, problems=2, value=1000),
    "a request with a fault": lambda text: replace(exchange(text), injected=injected(text)),
    "a callback with a fault": lambda text: replace(sent(text), injected=injected(text)),
    "problems of small lists": lambda text: exchange(text, problems=200, value=5),
    "a callback": sent,
    "a callback with many answer headers": lambda text: sent(text, headers=50),
    "a callback with a large answer": lambda text: sent(text, answer=60_000),
    "a usual event": lambda text: PurchasePlaced(
        order_id=text(36), fraud_status="ACCEPTED", order_amount=int(text(9)), purchase_id=text(36)
    ),
    "an event with a long text": lambda text: PurchaseDenied(deny_message=text(5000), purchase_id=text(36)),
    "an event with many names": lambda text: SessionUpdated(changed=tuple(text(20) for _ in range(30))),
    "an event with a mapping": lambda text: CheckboxesAnswered(merchant_requested={text(20): True for _ in range(20)}),
}


def entries_of(shape: str, prefix: str) -> list[Entry]:
    """Return entries of a shape whose texts differ; long ones begin with a prefix."""
    numbers = count(1)

    def text(length: int) -> str:
        number = str(next(numbers)).rjust(length, "1")[-length:]
        return number if length <= 60 or shape not in ("large headers", "a long path") else prefix + number

    return [entry(SHAPES[shape](text), text) for _ in range(10 if "problems" in shape else 100)]


def test_the_size_of_an_entry_is_about_its_memory() -> None:
    for shape in SHAPES:
        for prefix in ("", "\udce9"):
            entries = entries_of(shape, prefix)
            real, counted = memory(entries), sum(each.size for each in entries)
            assert 0.9 * real <= counted <= 2.5 * real, (shape, prefix)


def memory(root: object) -> int:
    """Return the bytes of an object and of all that it refers to, except classes; what other threads allocate is not counted."""
    seen: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen and not isinstance(one, type):
            seen[id(one)] = one
            # The garbage collector does not follow records, nor the names in a dict.
            waiting += [getattr(one, name) for name in getattr(one, "__struct_fields__", ())]
            waiting += gc.get_referents(one)
            waiting += one if isinstance(one, dict) else ()
    return sum(map(sys.getsizeof, seen.values()))


def entry(data: Data, text: Text) -> Entry:
    return Entry(
        seq=int("1" + text(5)),
        at=float(text(6)),
        merchant="shop",
        kind=CALLBACK,
        name="x",
        purchase_id=text(36),
        data=data,
        size=entry_size("shop", data),
    )
