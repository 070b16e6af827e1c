"""Certificates for HTTPS in Klarna's names; imported by a server that is asked for TLS, and by nobody else."""

from mock_klarna.certificates.server import Https, https

__all__ = ["Https", "https"]
