"""The pages of a draft in Chromium at 360 px, with errors and warnings: axe finds nothing, nothing scrolls sideways.

The pages are fetched first and shown afterwards, since a running browser keeps Django from its database.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from rahdari.apply import drafts
from tests.builders.drafts import NOW, a_draft, a_pdf, a_person, actor_of, register_to, with_address
from tests.in_browser import faults_on_a_small_phone

pytestmark = [pytest.mark.django_db, pytest.mark.browser]


def pages_of_a_draft(language: str) -> Iterator[tuple[str, str]]:
    """Every page of the room, with what can be wrong on it."""

    def text(response: Any) -> str:
        assert response.status_code == 200, (response, response.headers)
        content: str = response.content.decode()
        return content

    client = Client(REMOTE_ADDR="39.32.0.77")
    client.cookies["django_language"] = language
    client.force_login(a_person())
    yield "questions", text(client.get(reverse("apply:start")))
    yield "questions-error", text(client.post(reverse("apply:start"), {"who": ""}))
    for answers in (
        {"who": "licensed"},
        {"who": "none"},
        {"who": "vpn_company", "use": "service"},
        {"who": "vpn_company", "use": "private"},
        {"who": "vpn_company", "use": "staff", "which": "mobile"},
    ):
        client.post(reverse("apply:start"), answers)
        yield f"questions-{'-'.join(answers.values())}", text(client.get(reverse("apply:start")))
        yield f"instead-{'-'.join(answers.values())}", text(client.get(reverse("apply:instead")))

    freelancer = a_draft()
    company = a_draft(service="vpn_company")

    def at(name: str, draft: Any, *more: Any) -> str:
        return reverse(f"apply:{name}", args=[draft.reference, *more])

    for who, which in (("freelancer", "line"), ("company", "server")):
        client.post(reverse("apply:start"), {"who": f"vpn_{who}", "use": "clients", "which": which})
        yield f"ready-{which}", text(client.get(reverse("apply:ready")))
    for name in ("about", "person", "contact", "evidence", "association"):
        yield name, text(client.get(at(name, freelancer)))
        yield f"{name}-error", text(client.post(at(name, freelancer), {"name": "1", "cnic": "1", "mobile": "1"}))
    yield "company", text(client.get(at("company", company)))
    yield "company-error", text(client.post(at("company", company), {"company_number": "x", "ntn": "1"}))
    stale = {"name": "Second tab", "mobile": "03001234521", "seen": "0" * 16}
    drafts.save_contact(
        application=freelancer, name="First tab", mobile="+923001234520", actor=actor_of(freelancer.applicant), now=NOW
    )
    yield "two-tabs", text(client.post(at("contact", freelancer), stale))
    for kind in ("client_email", "client_letter", "self_declaration", "association"):
        yield f"evidence-{kind}", text(client.get(f"{at('evidence', freelancer)}?kind={kind}"))

    yield "address", text(client.get(at("add_address", freelancer)))
    yield "address-error", text(client.post(at("add_address", freelancer), {"block": "39.32.0.5/28", "kind": "other"}))
    yield "address-of-what", text(client.post(at("add_address", freelancer), {"block": "39.32.0.5"}))
    with_address(freelancer, "203.0.113.24")
    with_address(freelancer, "2400:adc0:0:ff00::/56", runs="any")
    client.post(at("add_address", freelancer), {"block": "154.192.0.1", "kind": "wireguard"})
    register_to(freelancer.applicant.holder_ref, "203.0.113.24")
    yield "addresses", text(client.get(at("addresses", freelancer)))

    rows = "address,protocol,port,label\n39.32.0.7,wireguard,,Head office\n39.32.0.8:1194,openvpn,,Data centre\n"
    rows += "10.0.0.1,wireguard,,Store\n39.32.0.16/28,any,,Branch North\n203.0.113.24,udp,70000,\n"
    yield "many", text(client.get(at("add_many", company)))
    yield "many-error", text(client.post(at("add_many", company), {"paste": "name\nx"}))
    shown = client.post(at("add_many", company), {"rows": SimpleUploadedFile("branches.csv", rows.encode())})
    yield "many-result", text(client.get(shown.headers["Location"]))
    shown = client.post(shown.headers["Location"], {"act": "mend"})
    yield "many-rest", text(client.get(shown.headers["Location"]))
    yield "many-addresses", text(client.get(at("addresses", company)))
    yield "many-to-prove", text(client.get(reverse("portal:prove_many", args=[company.reference])))
    yield "documents", text(client.get(at("documents", company)))
    url = at("upload", company, "incorporation")
    yield "upload", text(client.get(url))
    yield "upload-nothing", text(client.post(url, {}))
    files = [
        SimpleUploadedFile("letter.pdf", a_pdf()),
        SimpleUploadedFile("a-rather-long-name-of-a-letter.docx", b"PK\3\4x"),
    ]
    yield "upload-errors", text(client.post(url, {"file": files}))
    client.post(at("company", company), {"name": "Sample House", "company_number": "482", "ntn": "1234567"})
    yield "documents-not-needed", text(client.get(at("documents", company)))


class TestPages:
    @pytest.mark.whole
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_have_nothing_for_axe_to_find_and_fit_a_small_phone(self, language: str) -> None:
        assert faults_on_a_small_phone(pages_of_a_draft(language), language) == []
