"""The `Expect` header: `100-continue` is answered at once, and anything else is refused as every refusal is."""

from aiohttp import HttpVersion11, hdrs, web

from mock_klarna.domain.errors import ExpectationFailed

_GO_ON = "100-continue"


async def go_on(request: web.Request) -> None:
    """Tell a caller that asks first to send its body."""
    if _is_asked(request) and _expected(request) == _GO_ON:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


def require_known(request: web.Request) -> None:
    """Raise `ExpectationFailed` for an expectation that nobody here can meet."""
    if _is_asked(request) and _expected(request) != _GO_ON:
        raise ExpectationFailed(f"Expect is {request.headers[hdrs.EXPECT][:100]!r}; only {_GO_ON} is known")


def _is_asked(request: web.Request) -> bool:
    """Tell whether there is an expectation; HTTP/1.0 has none."""
    return hdrs.EXPECT in request.headers and request.version >= HttpVersion11


def _expected(request: web.Request) -> str:
    return request.headers[hdrs.EXPECT].strip().lower()
