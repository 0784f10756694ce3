"""The feed's format: what publisher and verifier share, and nothing more.

Invariants: a value has one encoding (`canonical`), and what is read must be in it; an entry carries an address, a
protocol, a port and a term, and nothing about persons; the digest of a set of entries depends on the set alone; every
reader is bounded in bytes, lines and entries, and every refusal is a `FeedFault` of its own class.

Nothing here signs, fetches, stores or decides: publishing stands in `publish`, the verifying walk in `agent`.
"""

from .access import Access, Credential, CredentialKind, certificate_digest, holder_of, token_digest
from .bulk import BulkStatement
from .digest import EMPTY, SetDigest
from .edition import (
    DELTA_LIMITS,
    SNAPSHOT_LIMITS,
    EditionReader,
    Header,
    Kind,
    Limits,
    Op,
    Operation,
    encode_edition,
    follow,
    write_edition,
)
from .entry import FeedEntry, InvalidEntry
from .faults import (
    CountMismatch,
    DigestMismatch,
    FeedFault,
    Malformed,
    NotCanonical,
    TooLarge,
    Truncated,
    UnsupportedFormat,
)
from .receipt import AppliedTarget, InvalidReceipt, Receipt, SignedReceipt
from .repository import KINDS, ROLES, FeedFile, Head, Stamp, StampHead, kind_of, live_files, role_of
from .terms import TERMS
from .version import FORMAT, check_format

__all__ = [
    "DELTA_LIMITS",
    "EMPTY",
    "FORMAT",
    "KINDS",
    "ROLES",
    "SNAPSHOT_LIMITS",
    "TERMS",
    "Access",
    "AppliedTarget",
    "BulkStatement",
    "CountMismatch",
    "Credential",
    "CredentialKind",
    "DigestMismatch",
    "EditionReader",
    "FeedEntry",
    "FeedFault",
    "FeedFile",
    "Head",
    "Header",
    "InvalidEntry",
    "InvalidReceipt",
    "Kind",
    "Limits",
    "Malformed",
    "NotCanonical",
    "Op",
    "Operation",
    "Receipt",
    "SetDigest",
    "SignedReceipt",
    "Stamp",
    "StampHead",
    "TooLarge",
    "Truncated",
    "UnsupportedFormat",
    "certificate_digest",
    "check_format",
    "encode_edition",
    "follow",
    "holder_of",
    "kind_of",
    "live_files",
    "role_of",
    "token_digest",
    "write_edition",
]
