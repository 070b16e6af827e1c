"""A demo shop that knows Klarna by its HTTP API alone, and the purchase of `mock-klarna demo`."""

from mock_klarna.demo.shop import Shop, serve_shop

__all__ = ["Shop", "serve_shop"]
