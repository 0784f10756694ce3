"""Whether the responder signed what was said with the key of its certificate (RFC 7296 2.15, RFC 7427, RFC 4754, RFC
8420).
"""

import struct

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils

from .messages import CERT, Payload

X509 = 4
RSA, SHARED_KEY, ECDSA_256, ECDSA_384, ECDSA_521, DIGITAL_SIGNATURE = 1, 2, 9, 10, 11, 14
# RFC 7427 7 and RFC 8420: which hashes we take, SHA1, SHA2-256, -384, -512, and whatever the key itself has.
HASHES = struct.pack(">5H", 1, 2, 3, 4, 5)
_ECDSA: dict[int, hashes.HashAlgorithm] = {
    ECDSA_256: hashes.SHA256(),
    ECDSA_384: hashes.SHA384(),
    ECDSA_521: hashes.SHA512(),
}
# AlgorithmIdentifiers as RFC 7427 appendix A writes them.
_RSA = bytes.fromhex("300d06092a864886f70d0101")
_PKCS1: dict[bytes, hashes.HashAlgorithm] = {
    _RSA + bytes.fromhex("050500"): hashes.SHA1(),  # noqa: S303  an old router's; what it signs lives for a second
    _RSA + bytes.fromhex("0b0500"): hashes.SHA256(),
    _RSA + bytes.fromhex("0c0500"): hashes.SHA384(),
    _RSA + bytes.fromhex("0d0500"): hashes.SHA512(),
}
_WITH_ECDSA: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("300906072a8648ce3d0401"): hashes.SHA1(),  # noqa: S303
    bytes.fromhex("300a06082a8648ce3d040302"): hashes.SHA256(),
    bytes.fromhex("300a06082a8648ce3d040303"): hashes.SHA384(),
    bytes.fromhex("300a06082a8648ce3d040304"): hashes.SHA512(),
}
_PSS = bytes.fromhex("06092a864886f70d01010a")
_ED25519, _ED448 = bytes.fromhex("300506032b6570"), bytes.fromhex("300506032b6571")


def certificate(payloads: list[Payload]) -> bytes | None:
    """The responder's own certificate: the first that is sent (RFC 7296 3.6)."""
    return next(
        (each.content[1:] for each in payloads if each.kind == CERT and each.content[:1] == bytes([X509])), None
    )


def is_signed(der: bytes, auth: bytes, signed: bytes) -> bool:
    """Whether `auth`, the content of an AUTH payload, is a signature over `signed` by the key of the certificate."""
    if len(auth) < 5:
        return False
    method, signature = auth[0], auth[4:]
    try:
        key = x509.load_der_x509_certificate(der).public_key()
        if method == DIGITAL_SIGNATURE:
            length = signature[0]
            _verify(key, signature[1 : 1 + length], signature[1 + length :], signed)
        elif method == RSA and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  RFC 7296 2.15 has no other
        elif method in _ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(_ECDSA[method]))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _verify(key: object, algorithm: bytes, signature: bytes, signed: bytes) -> None:
    """Raises InvalidSignature, also for an algorithm that is not the key's."""
    if isinstance(key, rsa.RSAPublicKey) and algorithm in _PKCS1:
        key.verify(signature, signed, padding.PKCS1v15(), _PKCS1[algorithm])
    elif isinstance(key, rsa.RSAPublicKey) and _PSS in algorithm:
        # The parameters name the hash; the salt has its length in all that is seen (RFC 7427 A.4.3).
        by_name: dict[str, hashes.HashAlgorithm] = {
            "040201": hashes.SHA256(),
            "040202": hashes.SHA384(),
            "040203": hashes.SHA512(),
        }
        found = (made for oid, made in by_name.items() if bytes.fromhex("0609608648016503" + oid) in algorithm)
        named = next(found, None)
        if named is None:
            raise InvalidSignature
        key.verify(signature, signed, padding.PSS(padding.MGF1(named), padding.PSS.AUTO), named)
    elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _WITH_ECDSA:
        key.verify(signature, signed, ec.ECDSA(_WITH_ECDSA[algorithm]))
    elif (isinstance(key, ed25519.Ed25519PublicKey) and algorithm == _ED25519) or (
        isinstance(key, ed448.Ed448PublicKey) and algorithm == _ED448
    ):
        key.verify(signature, signed)
    else:
        raise InvalidSignature
