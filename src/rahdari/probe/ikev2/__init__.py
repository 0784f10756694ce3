"""Prove an IKEv2 endpoint by its certificate.

We begin as a client that will show itself by EAP: then the responder shows itself first (RFC 7296 2.16), with its
certificate and a signature over what was said, which only the holder of the private key can make. That is the proof; we
take our leave before any EAP. A responder that wants a client's certificate or a shared key first says so, and stays
unproved.
"""

from .proving import PROTOCOL, TIMEOUT, match_certificate

__all__ = ["PROTOCOL", "TIMEOUT", "match_certificate"]
