"""The aiohttp application: a route for each path of the table of operations, and errors for every other path and method."""

from collections import defaultdict
from functools import cache

from aiohttp import web

from mock_klarna.errors import MethodNotAllowed, NotFound, UnknownName
from mock_klarna.web import dashboard, pages
from mock_klarna.web.operation import UNKNOWN_PATH, WRONG_METHOD, Api, Operation, api_of_path
from mock_klarna.web.operations import OPERATIONS
from mock_klarna.web.pipeline import HttpHandler, Stage, http_handler, operation_handler, preflight, send_continue
from mock_klarna.web.request import ApiRequest, ApiResponse, Services


def build(services: Services) -> web.Application:
    """Return the application; every path is served with and without a trailing slash (klarna.md §2)."""
    application = web.Application(client_max_size=1 << 30)
    paths: defaultdict[str, list[Operation]] = defaultdict(list)
    for operation in OPERATIONS:
        paths[operation.path].append(operation)
    for path, operations in paths.items():
        handler = _path_handler(services, operations)
        for route in _with_slash(path):
            application.router.add_route("*", route, handler, expect_handler=send_continue)
    pages.add_pages(application.router, services)
    unknown_path = _unknown_path_handler(services)
    dashboard.add_dashboard(application.router, services, unknown_path)
    application.router.add_route("*", r"/{path:[\s\S]*}", unknown_path, expect_handler=send_continue)
    return application


def _with_slash(path: str) -> tuple[str, ...]:
    """Return the routes of a path with and without a trailing slash; one for a path with variables, which is a pattern anyway."""
    return (path + "{slash:/?}",) if "{" in path else (path, path + "/")


def _path_handler(services: Services, operations: list[Operation]) -> HttpHandler:
    """Return the handler of all methods of a path. The router gets one route for it, because routes take most of the start-up.

    What it needs is made with its first request: the servers of a test suite get few kinds of requests.
    """
    api = operations[0].api

    @cache
    def handlers() -> tuple[dict[str, HttpHandler], HttpHandler]:
        by_method: dict[str, HttpHandler] = {}
        for operation in operations:
            by_method |= dict.fromkeys(operation.methods, operation_handler(services, operation))
        wrong_method = http_handler(services, api, WRONG_METHOD, _refuse_method(sorted(by_method)))
        if api.rules.is_cross_origin:
            by_method["OPTIONS"] = preflight
        return by_method, wrong_method

    async def handle(http: web.Request) -> web.StreamResponse:
        by_method, wrong_method = handlers()
        return await by_method.get(http.method, wrong_method)(http)

    return handle


def _refuse_method(allowed: list[str]) -> Stage:
    async def refuse(request: ApiRequest) -> ApiResponse:
        raise MethodNotAllowed(f"{request.http.method[:20]} is not allowed here; use {' or '.join(allowed)}", allowed)

    return refuse


def _unknown_path_handler(services: Services) -> HttpHandler:
    """Return the handler of paths without an operation, which get a 404 in the format of the API that they belong to."""
    by_api = {
        api: http_handler(
            services, api, UNKNOWN_PATH, _refuse_klarna_path if api.rules.emulates_klarna else _refuse_own_path(api)
        )
        for api in Api
    }

    async def handle(http: web.Request) -> web.StreamResponse:
        return await by_api[api_of_path(http.path)](http)

    return handle


async def _refuse_klarna_path(request: ApiRequest) -> ApiResponse:
    klarna = (operation for operation in OPERATIONS if operation.api.rules.emulates_klarna)
    known = ", ".join(sorted({"/".join(operation.path.split("/")[:4]) for operation in klarna}))
    raise NotFound(
        f"no route for {request.http.raw_path[:200]}; Klarna's paths begin with {known}, our own with /_mock/"
    )


def _refuse_own_path(api: Api) -> Stage:
    async def refuse(request: ApiRequest) -> ApiResponse:
        known = ", ".join(sorted({operation.path for operation in OPERATIONS if operation.api is api}))
        raise UnknownName(f"no route for {request.http.raw_path[:200]}", where="path", hint=f"one of {known}")

    return refuse
