"""What lets an operator in: tokens and certificates that overlap, and end."""

import datetime as dt
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rahdari.feed import CredentialKind, certificate_digest, holder_of, token_digest
from rahdari.feed.access import FILE_NAME, parse_access
from rahdari.journal import queries as journal
from rahdari.publish import actions, credentials, queries
from rahdari.publish.credentials import NewCredential
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Credential, Operator
from tests.builders.publishing import NOW, an_operator, publish
from tests.needs import needs_root

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def a_certificate(name: str = "Sample Fibre, agent 1", *, ends: dt.datetime = NOW + 30 * DAY) -> x509.Certificate:
    """Signed by itself: who signed it does not matter."""
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - 60 * DAY)
        .not_valid_after(ends)
        .sign(key, None)
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def give(operator: Operator, data: bytes) -> Credential:
    return actions.give_certificate(operator=operator, data=data, actor="system:test", now=NOW)


@pytest.fixture
def access(data: Path, django_capture_on_commit_callbacks: Any) -> Any:
    """The access file after an act was committed."""

    def after(act: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            result = act()
        return result, parse_access((data / FILE_NAME).read_bytes())

    return after


class TestCreateOperator:
    def test_gives_a_token_once_and_keeps_its_hash(self, data: Path) -> None:
        token = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=NOW)
        operator = queries.operator_by_slug("sample-fibre")
        assert operator is not None and operator.asns == [64500]
        assert len(token) >= 43 and token not in json.dumps([each.digest for each in Credential.objects.all()])
        assert credentials.holder([NewCredential.token(token)], now=NOW) == operator
        assert credentials.holder([NewCredential.token(token + "x")], now=NOW) is None
        assert credentials.holder([NewCredential.token("")], now=NOW) is None
        assert [row.act for row in journal.about("operator:sample-fibre")] == ["publish.operator_added"]

    def test_is_refused_for_a_slug_that_is_taken_or_none(self, data: Path) -> None:
        an_operator()
        with pytest.raises(actions.OperatorExists):
            actions.create_operator(slug="sample-fibre", name="Another", asns=[], now=NOW)
        for slug in ("", "Sample", "a/b", "-a", "a" * 51, "a\n"):
            with pytest.raises(actions.SlugUnusable):
                actions.create_operator(slug=slug, name="Another", asns=[], now=NOW)

    def test_lets_the_operator_in_at_the_feed(self, data: Path, access: Any) -> None:
        token, accesses = access(
            lambda: actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        )
        path = data / FILE_NAME
        assert path.stat().st_mode & 0o777 == 0o640 and token not in path.read_text()
        found = holder_of(token_digest(token), accesses, now=NOW)
        operator = Operator.objects.get()
        assert found is not None and (found.slug, found.repository) == ("sample-fibre", operator.repository)
        _, accesses = access(lambda: actions.stop_operator(operator=operator, actor="officer:1", now=NOW))
        assert accesses == [] and credentials.holder([NewCredential.token(token)], now=NOW) is None

    def test_leaves_the_access_file_to_the_owner_of_the_data_folder(self, data: Path) -> None:
        """The command runs as root, the process that reads the file does not."""
        needs_root()
        os.chown(data, 65534, 65534)
        an_operator()
        actions.write_access(now=NOW)
        written = (data / FILE_NAME).stat()
        assert (written.st_uid, written.st_gid) == (65534, 65534)
        assert stat.S_IMODE(written.st_mode) == 0o640

    def test_that_was_killed_before_the_file_was_written_is_mended_by_the_publisher(self, feed: Repository) -> None:
        an_operator()
        assert not (feed.data / FILE_NAME).exists()
        publish()
        assert [each.slug for each in parse_access((feed.data / FILE_NAME).read_bytes())] == ["sample-fibre"]


class TestReplaceToken:
    def test_leaves_the_old_one_in_for_the_time_that_is_given(self, data: Path, access: Any) -> None:
        old = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        operator = Operator.objects.get()
        new, accesses = access(
            lambda: actions.replace_token(operator=operator, old_ends_at=NOW + 7 * DAY, actor="officer:1", now=NOW)
        )
        for at, lets_in in ((NOW, True), (NOW + 6.9 * DAY, True), (NOW + 7 * DAY, False)):
            assert (credentials.holder([NewCredential.token(old)], now=at) == operator) is lets_in
            # The file carries the end with it: nobody has to write it at that moment.
            assert (holder_of(token_digest(old), accesses, now=at) is not None) is lets_in
            assert credentials.holder([NewCredential.token(new)], now=at) == operator
            assert holder_of(token_digest(new), accesses, now=at) is not None

    def test_ends_the_old_one_at_once_when_nothing_is_said(self, data: Path, access: Any) -> None:
        old = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        operator = Operator.objects.get()
        new, accesses = access(lambda: actions.replace_token(operator=operator, actor="officer:1", now=NOW))
        assert credentials.holder([NewCredential.token(old)], now=NOW) is None
        assert holder_of(token_digest(old), accesses, now=NOW) is None
        assert credentials.holder([NewCredential.token(new)], now=NOW) == operator

    def test_never_lengthens_what_was_to_end_before(self, data: Path) -> None:
        actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        operator = Operator.objects.get()
        for days in (2, 9):
            actions.replace_token(operator=operator, old_ends_at=NOW + days * DAY, actor="officer:1", now=NOW)
        first, second, third = Credential.objects.order_by("pk")
        assert (first.ends_at, second.ends_at, third.ends_at) == (NOW + 2 * DAY, NOW + 9 * DAY, None)

    def test_leaves_certificates_alone(self, data: Path) -> None:
        operator = an_operator()
        certificate = give(operator, pem(a_certificate()))
        actions.replace_token(operator=operator, actor="officer:1", now=NOW)
        assert certificate in credentials.credentials_of(operator, now=NOW)


class TestGiveCertificate:
    def test_lets_in_who_shows_it_until_it_ends_by_itself(self, data: Path, access: Any) -> None:
        operator, certificate = an_operator(), a_certificate()
        given, accesses = access(lambda: give(operator, pem(certificate)))
        der = certificate.public_bytes(Encoding.DER)
        assert given.ends_at == NOW + 30 * DAY and given.name == "CN=Sample Fibre\\, agent 1"
        for at, lets_in in ((NOW, True), (NOW + 31 * DAY, False)):
            assert (credentials.holder([NewCredential.certificate(der)], now=at) == operator) is lets_in
            found = holder_of(certificate_digest(der), accesses, now=at, kind=CredentialKind.CERTIFICATE)
            assert (found is not None) is lets_in
        assert holder_of(certificate_digest(der), accesses, now=NOW) is None, "a certificate is no token"

    def test_takes_der_as_well(self, data: Path) -> None:
        operator, certificate = an_operator(), a_certificate()
        assert give(operator, certificate.public_bytes(Encoding.DER)).kind == "certificate"

    def test_is_one_operators_for_ever(self, data: Path) -> None:
        certificate = pem(a_certificate())
        give(an_operator(), certificate)
        with pytest.raises(credentials.CredentialTaken) as refused:
            give(an_operator("sample-mobile"), certificate)
        assert refused.value.slug == "sample-fibre"

    @pytest.mark.parametrize("given", [b"", b"no", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----"])
    def test_refuses_what_is_none(self, data: Path, given: bytes) -> None:
        with pytest.raises(credentials.CertificateUnusable, match="no certificate"):
            give(an_operator(), given)

    def test_refuses_one_that_has_ended_several_and_one_with_its_key(self, data: Path) -> None:
        operator = an_operator()
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for content, why in (
            (pem(a_certificate(ends=NOW - DAY)), "it ended"),
            (pem(a_certificate()) + pem(a_certificate()), "several"),
            (pem(a_certificate()) + key, "private key"),
            (b"x" * 70_000, "too large"),
        ):
            with pytest.raises(credentials.CertificateUnusable, match=why):
                give(operator, content)
        assert not Credential.objects.filter(kind="certificate").exists()


class TestEndCredential:
    def test_ends_it_now_or_at_a_time_to_come_and_not_later_than_it_would(self, data: Path, access: Any) -> None:
        operator = an_operator()
        certificate = give(operator, pem(a_certificate()))

        def end(ends_at: dt.datetime | None) -> Credential:
            return actions.end_credential(
                operator=operator, number=certificate.pk, ends_at=ends_at, actor="officer:1", now=NOW
            )

        assert end(NOW + 90 * DAY).ends_at == NOW + 30 * DAY
        assert end(NOW + DAY).ends_at == NOW + DAY
        ended, accesses = access(lambda: end(None))
        assert ended.ends_at == NOW
        assert [each.kind for each in accesses[0].credentials] == ["token"]
        with pytest.raises(credentials.NoSuchCredential):
            end(None)

    def test_of_another_operator_is_none(self, data: Path) -> None:
        operator, other = an_operator(), an_operator("sample-mobile")
        number = Credential.objects.get(operator=other).pk
        with pytest.raises(credentials.NoSuchCredential):
            actions.end_credential(operator=operator, number=number, actor="officer:1", now=NOW)

    def test_stands_in_the_journal_without_the_secret(self, data: Path) -> None:
        token = actions.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[], now=NOW)
        operator = Operator.objects.get()
        new = actions.replace_token(operator=operator, actor="officer:1", now=NOW)
        number = Credential.objects.latest("pk").pk
        actions.end_credential(operator=operator, number=number, actor="officer:1", now=NOW)
        rows = list(journal.about("operator:sample-fibre"))
        assert [row.act for row in rows] == [
            "publish.credential_ended",
            "publish.token_given",
            "publish.operator_added",
        ]
        told = json.dumps([row.detail for row in rows])
        assert token not in told and new not in told
