"""Certificates for loopback: one authority that a test lets clients trust, one that nobody trusts."""

from __future__ import annotations

import ssl

import trustme

from tests.support.ports import LOOPBACK


class Authority:
    """A certificate authority with one certificate for loopback."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self._certificate = self._ca.issue_cert(LOOPBACK, "localhost")

    def server_context(self) -> ssl.SSLContext:
        """For a server that shows this authority's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts this authority alone."""
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return context


TRUSTED = Authority()
UNTRUSTED = Authority()
