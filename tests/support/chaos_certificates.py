"""Certificates and protocol versions that a client must not trust, by what is wrong with them.

Invariant: each is wrong in one way only; the client is set up as the product sets itself up, and trusts the issuer.
"""

import datetime as dt
import ssl
import warnings

import trustme

from tests.support.smtp_server import Certificates

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def untrusted() -> dict[str, Certificates]:
    """Return the servers' certificates, each with the client that must refuse it."""
    authority, stranger = trustme.CA(), trustme.CA()
    right = ("localhost", "127.0.0.1")
    return {
        "expired": _pair(authority, authority.issue_cert(*right, not_after=LONG_AGO)),
        "wrong host": _pair(authority, authority.issue_cert("mail.elsewhere.test")),
        "self-signed": _pair(authority, stranger.issue_cert(*right)),
        "TLS 1.0 only": _old(_pair(authority, authority.issue_cert(*right))),
    }


def _pair(authority: trustme.CA, issued: trustme.LeafCert) -> Certificates:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    client.minimum_version = ssl.TLSVersion.TLSv1_2
    issued.configure_cert(server)
    authority.configure_trust(client)
    return Certificates(server, client)


def _old(pair: Certificates) -> Certificates:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of what a test of old servers must do
        pair.server.minimum_version = ssl.TLSVersion.TLSv1
        pair.server.maximum_version = ssl.TLSVersion.TLSv1
    pair.server.set_ciphers("ALL:@SECLEVEL=0")
    return pair
