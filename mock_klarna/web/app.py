"""The aiohttp application: a route for every row of `operations`, and clear words for every other path."""

from collections import defaultdict
from collections.abc import Iterable

from aiohttp import web

from mock_klarna.errors import MethodNotAllowed, NotFound, UnknownName
from mock_klarna.web import pages, query
from mock_klarna.web import pages as static_files
from mock_klarna.web.auth import CREDENTIALS
from mock_klarna.web.operation import Operation
from mock_klarna.web.operations import BROWSER, KLARNA, MOCK, OPERATIONS
from mock_klarna.web.pipeline import Answer, browser, checked, exchange, go_on, mock, once, preflight
from mock_klarna.web.request import Call, Reply, Services


def build(services: Services) -> web.Application:
    """Return the application that serves a services; every path is served with and without a trailing slash (protocol 2)."""
    application = web.Application(client_max_size=1 << 30)
    application[CREDENTIALS] = services.credentials
    for path, operations in _by_path().items():
        handler = _handler(services, operations)
        for served in _with_slash(path):
            application.router.add_route("*", served, handler, expect_handler=go_on)
    application.router.add_get(static_files.LIBRARY_PATH, static_files.library, expect_handler=go_on)
    application.router.add_get(static_files.PATH, static_files.file, expect_handler=go_on)
    pages.add_pages(application.router, services)
    application.router.add_route(
        "*", "/_mock{path:(/.*)?}", mock(services, "unknown_path", _refuse_own_path), expect_handler=go_on
    )
    application.router.add_route(
        "*", "/{path:.*}", exchange(services, "unknown_path", _refuse_path), expect_handler=go_on
    )
    return application


def _with_slash(path: str) -> tuple[str, ...]:
    """Return the routes of a path with and without a trailing slash: one where a pattern, which costs time, is needed anyway."""
    return (path + "{slash:/?}",) if "{" in path else (path, path + "/")


def _by_path() -> dict[str, list[Operation]]:
    """Return the operations of each path: one resource a path keeps the router's search short."""
    paths: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in OPERATIONS + BROWSER:
        paths[operation.path].append(operation)
    return dict(paths)


def _handler(services: Services, operations: list[Operation]) -> pages.Handler:
    """Return what handles every verb of a path: its operations, and for any other verb a refusal that names them.

    The router gets one route for it: a route for each verb would make up most of the time that a start takes.
    """
    wrap = exchange if operations[0].is_klarnas else browser if operations[0].is_browsers else mock
    by_verb: dict[str, pages.Handler] = {}
    for operation in operations:
        answer = checked(
            operation.body_schema,
            operation.body,
            operation.handler,
            operation.most_body,
            operation.guard,
        )
        if wrap is mock:
            answer = query.only(operation.query, answer)
        handler = wrap(services, operation.name, once(answer) if operation.is_idempotent else answer)
        by_verb |= dict.fromkeys(_methods(operation), handler)
    refused = wrap(services, "wrong_method", _refuse_method(tuple(by_verb)))
    if wrap is browser:
        by_verb["OPTIONS"] = preflight

    async def handle(request: web.Request) -> web.StreamResponse:
        return await by_verb.get(request.method, refused)(request)

    return handle


def _methods(operation: Operation) -> tuple[str, ...]:
    """Return the verbs of an operation: whatever can be had with GET can be asked after with HEAD."""
    return (operation.method, "HEAD") if operation.method == "GET" else (operation.method,)


def _refuse_method(methods: Iterable[str]) -> Answer:
    allowed = sorted(methods)

    async def refuse(_services: Services, call: Call) -> Reply:
        said = f"{call.request.method[:20]} is not possible here; {', '.join(allowed)} is"
        raise MethodNotAllowed(said, allowed)

    return refuse


async def _refuse_path(_services: Services, call: Call) -> Reply:
    known = ", ".join(sorted({"/".join(operation.path.split("/")[:4]) for operation in KLARNA}))
    raise NotFound(
        f"nothing is served at {call.request.raw_path[:200]}; Klarna's paths begin with {known}, our own with /_mock/"
    )


async def _refuse_own_path(_services: Services, call: Call) -> Reply:
    known = ", ".join(sorted({operation.path for operation in MOCK}))
    raise UnknownName(f"nothing is served at {call.request.raw_path[:200]}", where="path", hint=f"one of {known}")
