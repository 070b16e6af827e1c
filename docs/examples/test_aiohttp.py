import aiohttp
from aiohttp import web


def shop(klarna_url, credentials):
    async def place_order(request):
        callback = await request.json()
        url = f"{klarna_url}/instantshopping/v1/authorizations/{callback['authorization_token']}/orders"
        headers = {"Authorization": aiohttp.encode_basic_auth(*credentials)}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(url, json=callback["order"]) as placed,
        ):
            return web.Response(status=200 if placed.status == 200 else 502)

    app = web.Application()
    app.router.add_post("/klarna/place-order", place_order)
    return app


async def test_the_shop_places_the_order(mock_klarna_async, aiohttp_server):
    server = await aiohttp_server(shop(mock_klarna_async.url, mock_klarna_async.credentials))
    urls = {"place_order": str(server.make_url("/klarna/place-order")), "terms": str(server.make_url("/terms"))}
    await mock_klarna_async.create_button(merchant_urls=urls)
    purchase = await mock_klarna_async.purchase(cart="se-battery-pack", shopper="se-approved", wait=60)
    assert purchase["state"] == "placed"
