"""Who may fetch."""

import datetime as dt
from typing import Any

import pytest

from rahdari.feed import Access, Credential, CredentialKind, Malformed, certificate_digest, holder_of, token_digest
from rahdari.feed.access import encode_access, parse_access
from rahdari.feed.canonical import encode

from .samples import SESSION

NOW = dt.datetime(2026, 11, 10, 9, 31, 7, tzinfo=dt.UTC)
FIBRE = Access(
    "sample-fibre",
    "f1" * 16,
    (
        Credential(CredentialKind.TOKEN, token_digest("one")),
        Credential(CredentialKind.TOKEN, token_digest("old"), "2026-11-10T09:31:08Z"),
        Credential(CredentialKind.CERTIFICATE, certificate_digest(b"der")),
    ),
    (SESSION,),
)
MOBILE = Access("sample-mobile", "f2" * 16, (Credential(CredentialKind.TOKEN, token_digest("two")),), ())
ACCESSES = [FIBRE, MOBILE]
ROW: dict[str, Any] = {
    "slug": "sample-fibre",
    "repository": "f1" * 16,
    "credentials": [{"kind": "token", "sha256": "00" * 32, "ends_at": None}],
    "sessions": [SESSION],
}


class TestAccess:
    def test_comes_back_from_its_file(self) -> None:
        assert parse_access(encode_access(ACCESSES)) == ACCESSES

    @pytest.mark.parametrize("token", ["one", "old"])
    def test_finds_whose_token_it_is_also_the_old_one_while_it_lasts(self, token: str) -> None:
        assert holder_of(token_digest(token), ACCESSES, now=NOW) == FIBRE
        assert holder_of(token_digest("two"), ACCESSES, now=NOW) == MOBILE

    def test_knows_an_ended_token_no_more(self) -> None:
        assert holder_of(token_digest("old"), ACCESSES, now=NOW + dt.timedelta(seconds=1)) is None

    @pytest.mark.parametrize("token", ["three", "", "\ud800"])
    def test_knows_no_other_token(self, token: str) -> None:
        assert holder_of(token_digest(token), ACCESSES, now=NOW) is None

    def test_takes_a_certificate_for_a_certificate_alone(self) -> None:
        digest = certificate_digest(b"der")
        assert holder_of(digest, ACCESSES, now=NOW, kind=CredentialKind.CERTIFICATE) == FIBRE
        assert holder_of(digest, ACCESSES, now=NOW) is None
        assert holder_of(token_digest("one"), ACCESSES, now=NOW, kind=CredentialKind.CERTIFICATE) is None

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b'{"operators":1}',
            b'{"format":"1.0","operators":[1]}',
            b'{"operators":[]}',
            b"\xff",
            b"[" * 100_000,
        ],
    )
    def test_is_refused_when_it_is_no_access_file(self, text: bytes) -> None:
        with pytest.raises(Malformed):
            parse_access(text)

    @pytest.mark.parametrize(
        "change",
        [
            {"slug": ""},
            {"slug": "Sample"},
            {"slug": "a/b"},
            {"slug": "-a"},
            {"slug": "a" * 51},
            {"repository": "../x"},
            {"repository": None},
            {"credentials": None},
            {"credentials": [1]},
            {"credentials": [{"kind": "password", "sha256": "00" * 32, "ends_at": None}]},
            {"credentials": [{"kind": ["token"], "sha256": "00" * 32, "ends_at": None}]},
            {"credentials": [{"kind": "token", "sha256": "0", "ends_at": None}]},
            {"credentials": [{"kind": "token", "sha256": "00" * 32, "ends_at": "soon"}]},
            {"sessions": None},
            {"sessions": ["x"]},
            {"sessions": [1]},
        ],
    )
    def test_is_refused_when_something_of_an_operator_is_wrong(self, change: dict[str, Any]) -> None:
        with pytest.raises(Malformed):
            parse_access(encode({"format": "1.0", "operators": [{**ROW, **change}]}))
