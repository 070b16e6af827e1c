"""A bare aiohttp application to compare with: it answers the same bytes and does nothing else."""

import asyncio
import sys

from aiohttp import web

ORDER = b'{"order_id":"41475c53-b38e-427e-ade1-db78e3018e19","fraud_status":"ACCEPTED"}'


def application(authorized: bytes) -> web.Application:
    """Return an application with the two routes that the benchmark measures, answering bytes of the same size."""

    async def read(_request: web.Request) -> web.Response:
        return web.Response(body=authorized, content_type="application/json")

    async def place(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=ORDER, content_type="application/json")

    app = web.Application()
    app.router.add_get("/instantshopping/v1/authorizations/{token}", read)
    app.router.add_post("/instantshopping/v1/authorizations/{token}/orders", place)
    app.router.add_get("/_mock/health", read)
    return app


async def main(port: int) -> None:
    """Serve until killed."""
    runner = web.AppRunner(application(sys.stdin.buffer.read()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[2] == "uvloop":
        import uvloop

        uvloop.run(main(int(sys.argv[1])))
    else:
        asyncio.run(main(int(sys.argv[1])))
