"""What a test leaves of a merchant whose credentials are fixed."""

from mock_klarna import serve_in_thread
from mock_klarna.pytest_plugin.servers import restored

TERMS = {"merchant_urls": {"terms": "https://shop.test/terms", "place_order": "https://shop.test/place"}}


def test_keys_of_a_snapshot_without_counters_stay() -> None:
    with serve_in_thread() as klarna:
        klarna.create_button(**TERMS)
        state = klarna.snapshot()
        state["merchants"][klarna.merchant]["counters"] = {}
        klarna.reset()
        with restored(klarna):
            klarna.load_snapshot(state)
        assert klarna.snapshot() == state
