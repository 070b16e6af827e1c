import json

import pytest
import requests
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def place_order(request):
    callback = json.loads(request.body)
    url = f"{settings.KLARNA_URL}/instantshopping/v1/authorizations/{callback['authorization_token']}/orders"
    placed = requests.post(url, json=callback["order"], auth=settings.KLARNA_CREDENTIALS, timeout=10)
    return HttpResponse(status=200 if placed.ok else 502)


urlpatterns = [path("klarna/place-order", place_order)]


@pytest.fixture
def shop(mock_klarna, live_server, settings):
    settings.ROOT_URLCONF = __name__
    settings.KLARNA_URL = mock_klarna.url
    settings.KLARNA_CREDENTIALS = mock_klarna.credentials
    return live_server.url


def test_the_shop_places_the_order(mock_klarna, shop):
    urls = {"place_order": f"{shop}/klarna/place-order", "terms": f"{shop}/terms"}
    mock_klarna.create_button(merchant_urls=urls)
    purchase = mock_klarna.purchase(cart="se-battery-pack", shopper="se-approved", wait=60)
    assert purchase["state"] == "placed"
