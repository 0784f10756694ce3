"""Behind what an OpenVPN daemon hides its control channel: tls-auth, tls-crypt, tls-crypt-v2.

Such a daemon answers nobody who lacks the shared key, so the applicant makes a client profile for the check alone and
deletes it afterwards. `read_profile` takes out of it what the check needs, and nothing else: not the client's own key.

    plain         opcode, session id | rest
    tls-auth      opcode, session id | HMAC | packet id, time | rest            HMAC over: packet id, time, head, rest
    tls-crypt     opcode, session id | packet id, time | tag | AES-256-CTR(rest)   tag = HMAC-SHA256 over all but itself
    tls-crypt-v2  the same with a client's own key; its wrapped form stands behind the first packet

OpenVPN 2.6: `ssl_pkt.c`, `tls_crypt.c`, `crypto.c` (`openvpn_encrypt`), doc/tls-crypt-v2.txt.
"""

import base64
import binascii
import hashlib
import hmac
import re
import struct
import time
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

WRAPS = ("tls-auth", "tls-crypt", "tls-crypt-v2")
DIGESTS = ("SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "MD5")
LONGEST_PROFILE = 64 * 1024
RESET_V2, RESET_V3 = 7, 10
_STATIC = re.compile(
    r"-----BEGIN OpenVPN Static key V1-----(.*?)-----END OpenVPN Static key V1-----", re.DOTALL | re.ASCII
)
_V2 = re.compile(
    r"-----BEGIN OpenVPN tls-crypt-v2 client key-----(.*?)-----END OpenVPN tls-crypt-v2 client key-----",
    re.DOTALL | re.ASCII,
)
_BLOCK = re.compile(r"^<([a-z0-9-]+)>[ \t]*\r?\n(.*?)^</\1>", re.DOTALL | re.MULTILINE | re.ASCII)
_HEAD = 9
_NUMBER = 8


class Plain:
    """Nothing is hidden."""

    reset = RESET_V2

    def seal(self, packet: bytes) -> bytes:
        return packet

    def open(self, packet: bytes) -> bytes | None:
        """The packet as it was before it was wrapped; None for one that the shared key did not make."""
        return packet


class _Numbered(Plain):
    def __init__(self) -> None:
        self._count, self._since = 0, int(time.time())

    def _number(self) -> bytes:
        self._count += 1
        return struct.pack(">II", self._count, self._since)


class TlsAuth(_Numbered):
    def __init__(self, key: bytes, direction: str, digest: str) -> None:
        super().__init__()
        self._digest = digest.lower()
        self._size = hashlib.new(self._digest, usedforsecurity=False).digest_size
        halves = (key[64:128], key[192:256])
        # Without a direction both sides use the first half; with one, each sends with its own.
        out, into = {"": (0, 0), "0": (0, 1), "1": (1, 0)}[direction]
        self._out, self._into = halves[out][: self._size], halves[into][: self._size]

    def seal(self, packet: bytes) -> bytes:
        number = self._number()
        return packet[:_HEAD] + hmac.digest(self._out, number + packet, self._digest) + number + packet[_HEAD:]

    def open(self, packet: bytes) -> bytes | None:
        at = _HEAD + self._size
        head, tag, number, rest = packet[:_HEAD], packet[_HEAD:at], packet[at : at + _NUMBER], packet[at + _NUMBER :]
        if len(number) < _NUMBER:
            return None
        made = hmac.digest(self._into, number + head + rest, self._digest)
        return head + rest if hmac.compare_digest(tag, made) else None


class TlsCrypt(_Numbered):
    _TAG = 32

    def __init__(self, key: bytes, behind_the_first: bytes = b"") -> None:
        super().__init__()
        # The server sends with the first half, the client with the second.
        self._into, self._out = (key[:32], key[64:96]), (key[128:160], key[192:224])
        self._behind = behind_the_first
        self.reset = RESET_V3 if behind_the_first else RESET_V2

    def seal(self, packet: bytes) -> bytes:
        cipher, authentic = self._out
        head = packet[:_HEAD] + self._number()
        tag = hmac.digest(authentic, head + packet[_HEAD:], "sha256")
        sealed = head + tag + _ctr(cipher, tag, packet[_HEAD:])
        return sealed + self._behind if packet[0] >> 3 == RESET_V3 else sealed

    def open(self, packet: bytes) -> bytes | None:
        cipher, authentic = self._into
        at = _HEAD + _NUMBER
        head, tag, rest = packet[:at], packet[at : at + self._TAG], packet[at + self._TAG :]
        if len(tag) < self._TAG:
            return None
        plain = _ctr(cipher, tag, rest)
        made = hmac.digest(authentic, head + plain, "sha256")
        return packet[:_HEAD] + plain if hmac.compare_digest(tag, made) else None


def wrapping(wrap: str, shared_key: str, direction: str = "", digest: str = "") -> Plain:
    """How packets are wrapped, anew for each attempt. Raises ValueError."""
    if not wrap:
        if shared_key or direction or digest:
            raise ValueError("a shared key is given without saying what for: tls-auth, tls-crypt or tls-crypt-v2")
        return Plain()
    if wrap not in WRAPS:
        raise ValueError(f"`wrap` is one of {', '.join(WRAPS)}")
    if wrap == "tls-auth":
        if direction not in {"", "0", "1"}:
            raise ValueError("`direction` is 0, 1 or empty")
        if digest and digest.upper() not in DIGESTS:
            raise ValueError(f"`digest` is one of {', '.join(DIGESTS)}")
        return TlsAuth(_static_key(shared_key), direction, digest or "SHA1")
    if wrap == "tls-crypt":
        return TlsCrypt(_static_key(shared_key))
    return TlsCrypt(*_own_key(shared_key))


@dataclass(frozen=True)
class Profile:
    """What a client profile says about the way to the daemon. `port` is 0 where it says none."""

    wrap: str = ""
    shared_key: str = ""
    direction: str = ""
    digest: str = ""
    port: int = 0
    tcp: bool = False


def read_profile(text: str) -> Profile:
    """Raises ValueError: too long, the key outside of the profile, or a key that is none."""
    if len(text) > LONGEST_PROFILE:
        raise ValueError("a profile has at most 64 KB")
    blocks = dict(_BLOCK.findall(text))
    bare = _BLOCK.sub("", text)
    settings: dict[str, list[str]] = {}
    for line in bare.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        if words:
            settings.setdefault(words[0].lower(), words[1:])
    wrap = next((name for name in WRAPS[::-1] if name in blocks), "")
    if not wrap and (named := next((name for name in WRAPS if name in settings), "")):
        raise ValueError(
            f"the {named} key lies in a file beside the profile; put it inside, as <{named}> ... </{named}>"
        )
    remote = settings.get("remote", [])
    port = (remote[1:2] or settings.get("port", []) or ["0"])[0]
    proto = (remote[2:3] or settings.get("proto", []) or ["udp"])[0]
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII):
        raise ValueError("the port in the profile is no number")
    is_auth = wrap == "tls-auth"
    profile = Profile(
        wrap=wrap,
        shared_key=blocks[wrap].strip() if wrap else "",
        direction=(settings.get("key-direction", []) or [""])[0] if is_auth else "",
        digest=(settings.get("auth", []) or [""])[0].upper() if is_auth else "",
        port=int(port),
        tcp=proto.lower().startswith("tcp"),
    )
    wrapping(profile.wrap, profile.shared_key, profile.direction, profile.digest)
    return profile


def _static_key(text: str) -> bytes:
    found = _STATIC.search(text)
    digits = re.sub(r"\s", "", found[1]) if found else ""
    if not re.fullmatch(r"[0-9a-fA-F]{512}", digits):
        raise ValueError("a static key has 256 bytes in hex between its BEGIN and END lines")
    return bytes.fromhex(digits)


def _own_key(text: str) -> tuple[bytes, bytes]:
    """A client's key, and the same wrapped for the server."""
    found = _V2.search(text)
    try:
        content = base64.b64decode(re.sub(r"\s", "", found[1]) if found else "", validate=True)
    except binascii.Error:
        content = b""
    # 256 bytes of key; wrapped: tag, key, at least one byte of kind, and its own length (2) at the end.
    wrapped = content[256:]
    if (
        not 256 + 32 + 256 + 3 <= len(content) <= 256 + 1024
        or struct.unpack(">H", content[-2:])[0] != len(content) - 256
    ):
        raise ValueError("a tls-crypt-v2 client key stands between its BEGIN and END lines, for a client, not a server")
    return content[:256], wrapped


def _ctr(key: bytes, tag: bytes, text: bytes) -> bytes:
    made = Cipher(AES(key), CTR(tag[:16])).encryptor()
    return made.update(text) + made.finalize()
