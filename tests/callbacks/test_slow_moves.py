"""Moving a clock while real time goes on: what a job on the way leads to happens before the move is over too."""

from itertools import count

import orjson

from mock_klarna.callbacks import Deliveries, Runner
from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.emulator import Emulator
from mock_klarna.emulator.emulator import buy
from mock_klarna.settings import Settings
from mock_klarna.store.memory import MemoryStore
from mock_klarna.validation import shared_validator
from tests.merchants.pages import PAGE, urls


async def test_the_news_of_a_review_that_ends_on_a_slow_machine_is_sent_before_the_move_is_over(nobody: str) -> None:
    settings, seconds = Settings(), count(1_000_000.0)
    emulator = Emulator(MemoryStore(), settings, lambda: next(seconds), "seed")
    client = MerchantClient(settings)
    runner = Runner(emulator, Deliveries(emulator, shared_validator(strict=False), client))
    await emulator.buttons.create("shop", {"merchant_urls": urls(nobody) | {"notification": f"{nobody}/news"}})
    review = {"fraud_status": "PENDING", "then": "REJECTED", "after": "4h"}
    purchase = await buy(emulator, "shop", {"page": PAGE, "outcome": review})
    order = orjson.loads(purchase.order)
    await emulator.authorizations.place("shop", purchase.authorization_token or "", order, purchase.order)
    await runner.move_clock("shop", 4 * 3600.0)
    await client.close()
    sent = await emulator.store.records(Delivery, "shop")
    assert [(news.callback, len(news.attempts)) for news in sent] == [("notification", 1)]
