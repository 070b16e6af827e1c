"""The aiohttp application: a route for every row of `operations`, and clear words for every other path."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from mock_klarna.domain.errors import MethodNotAllowed, NotFound
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.exchange import Answer, checked, exchange
from mock_klarna.web.mock import mock
from mock_klarna.web.operations import KLARNA, OPERATIONS, Operation
from mock_klarna.web.stream import stream

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(desk: Desk) -> web.Application:
    """Return the application that serves a desk; every path is served with and without a trailing slash (protocol 2)."""
    application = web.Application(client_max_size=1 << 30)
    for operation in OPERATIONS:
        handler = _handler(desk, operation)
        for path in (operation.path, operation.path + "/"):
            application.router.add_route(operation.method, path, handler)
    application.router.add_get("/_mock/events", stream(desk))
    for path, methods in _methods().items():
        application.router.add_route("*", path, _wrapped(desk, path, _refuse_method(methods)))
        application.router.add_route("*", path + "/", _wrapped(desk, path, _refuse_method(methods)))
    application.router.add_route("*", "/{path:.*}", exchange(desk, "unknown_path", _refuse_path))
    return application


def _handler(desk: Desk, operation: Operation) -> Handler:
    answer = checked(operation.name, operation.body, operation.handler, operation.most_body)
    return (exchange if operation.is_klarnas else mock)(desk, operation.name, answer)


def _wrapped(desk: Desk, path: str, answer: Answer) -> Handler:
    return (mock if path.startswith("/_mock") else exchange)(desk, "wrong_method", answer)


def _methods() -> dict[str, list[str]]:
    methods: defaultdict[str, list[str]] = defaultdict(list)
    for operation in OPERATIONS:
        methods[operation.path].append(operation.method)
    return dict(methods)


def _refuse_method(methods: Iterable[str]) -> Answer:
    allowed = sorted(methods)

    async def refuse(_desk: Desk, call: Call) -> Reply:
        said = f"{call.request.method[:20]} is not possible here; {', '.join(allowed)} is"
        raise MethodNotAllowed(said, allowed)

    return refuse


async def _refuse_path(_desk: Desk, call: Call) -> Reply:
    known = ", ".join(sorted({operation.path for operation in KLARNA}))
    raise NotFound(
        f"nothing is served at {call.request.path[:200]}; Klarna's paths are {known}, our own begin with /_mock/"
    )
