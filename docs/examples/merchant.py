import os

import requests
from flask import Flask, request

KLARNA = os.environ.get("KLARNA_URL", "http://127.0.0.1:8080")
CREDENTIALS = ("K123", "secret")
app = Flask(__name__)


@app.post("/klarna/place-order")
def place_order():
    callback = request.get_json()
    url = f"{KLARNA}/instantshopping/v1/authorizations/{callback['authorization_token']}/orders"
    placed = requests.post(url, json=callback["order"], auth=CREDENTIALS, timeout=10)
    print("placed", placed.json()["order_id"], flush=True)
    return ""
