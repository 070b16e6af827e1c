"""A demo shop that knows Klarna by its HTTP API alone, and the purchase that `mock-klarna demo` plays."""

from mock_klarna.demo.shop import Shop, serve_shop

__all__ = ["Shop", "serve_shop"]
