"""Certificates for HTTPS with Klarna's host names; imported only where the setting `tls` is on."""

from mock_klarna.certificates.https import Https, load_https

__all__ = ["Https", "load_https"]
