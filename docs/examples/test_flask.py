from threading import Thread

import merchant
import pytest
from werkzeug.serving import make_server


@pytest.fixture
def shop(mock_klarna, monkeypatch):
    monkeypatch.setattr(merchant, "KLARNA", mock_klarna.url)
    monkeypatch.setattr(merchant, "CREDENTIALS", mock_klarna.credentials)
    server = make_server("127.0.0.1", 0, merchant.app, threaded=True)
    Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_shop_places_the_order(mock_klarna, shop):
    urls = {"place_order": f"{shop}/klarna/place-order", "terms": f"{shop}/terms"}
    mock_klarna.create_button(merchant_urls=urls)
    purchase = mock_klarna.purchase(cart="se-battery-pack", shopper="se-approved", wait=60)
    assert purchase["state"] == "placed"
