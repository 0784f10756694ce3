"""A sample freelancer and a sample company, built by the room's own acts."""

import datetime as dt
import io
import re
import uuid
import zlib
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image

from rahdari.apply import drafts, parts, queries, sending
from rahdari.apply.models import Application
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.policy import BUNDLED
from rahdari.register import actions as register
from rahdari.register.rules import NewEntry

NOW = dt.datetime(2026, 11, 10, 9, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=5)
CNIC = "3520212345671"


def a_person(email: str = "freelancer-31@sample.example", **given: Any) -> User:
    return people.register_person(email=email, now=NOW, **given)


def asking(settings: Any, folder: Path, service: str = "vpn_freelancer", **asks: str) -> None:
    """Put rules in force in which a service asks for this, and for nothing else of what it may ask for."""
    at = f"[services.{service}]\n"
    before, after = BUNDLED.read_text(encoding="utf-8").split(at)
    if service == "vpn_freelancer":  # whose checks compare a name
        asks = {"name": "required"} | asks
    said = "asks = { " + ", ".join(f'{datum} = "{way}"' for datum, way in asks.items()) + " }"
    settings.POLICY_FILE = folder / f"policy-{len(list(folder.iterdir()))}.toml"
    after = re.sub(r"(?m)^asks = .*$", said, after, count=1)
    if "purpose" in asks:  # which only an officer reads
        after = after.replace('kind = "documents"\n', 'kind = "documents"\nread_by_officer = true\n', 1)
    settings.POLICY_FILE.write_text(before + at + after, encoding="utf-8")


def cnic_of(user: User) -> str:
    """A card number of their own: a second account with the same one is for an officer."""
    return (
        CNIC
        if user.email == "freelancer-31@sample.example"
        else f"35202{zlib.crc32(str(user.pk).encode()) % 10**8:08d}"
    )


def actor_of(user: User) -> str:
    return f"person:{user.pk}"


def a_draft(user: User | None = None, *, service: str = "vpn_freelancer", **given: Any) -> Application:
    user = user or a_person()
    return drafts.start_application(applicant=user, service=service, actor=actor_of(user), now=NOW, **given)


def with_address(draft: Application, block: str = "203.0.113.24", **given: Any) -> Any:
    values = {"runs": "wireguard"} | given
    return parts.add_endpoint(application=draft, block=block, actor=actor_of(draft.applicant), now=NOW, **values)


def a_complete_draft(user: User | None = None, *, block: str = "203.0.113.24", **given: Any) -> Application:
    """A freelancer's application with everything but the sending."""
    draft = a_draft(user, **given)
    common: dict[str, Any] = {"application": draft, "actor": actor_of(draft.applicant), "now": NOW}
    drafts.save_person(name="Sample Freelancer 31", cnic=cnic_of(draft.applicant), **common)
    drafts.save_contact(name="Sample Freelancer 31", mobile="+923001234567", **common)
    drafts.save_evidence(kind="association", association_number="SA-0031", **common)
    with_address(draft, block)
    return Application.objects.get(pk=draft.pk)


def a_complete_company_draft(user: User | None = None, *, block: str = "203.0.113.40") -> Application:
    draft = a_draft(user or a_person("manager@sample.example"), service="vpn_company")
    common: dict[str, Any] = {"application": draft, "actor": actor_of(draft.applicant), "now": NOW}
    drafts.save_company(name="Sample Software House (Pvt) Ltd", company_number="0000482", ntn="1234567-8", **common)
    drafts.save_contact(name="Network manager", mobile="+923001234520", **common)
    with_address(draft, block)
    return Application.objects.get(pk=draft.pk)


def sent(draft: Application) -> Application:
    return sending.submit_application(
        application=draft, policy=queries.policy_in_force(), actor=actor_of(draft.applicant), now=LATER
    )


def registered_to_another(block: str) -> uuid.UUID:
    """An active entry of some other holder."""
    holder = uuid.uuid4()
    register_to(holder, block)
    return holder


def register_to(holder: uuid.UUID, block: str, *, protocol: str = "udp", port: int | None = 51820) -> None:
    from rahdari.address import parse_block

    register.enter(
        origin=f"application:{uuid.uuid4()}",
        holder=holder,
        category="vpn_company",
        endpoints=[
            NewEntry(
                origin=f"endpoint:{uuid.uuid4()}", block=parse_block(block), protocol=protocol, port=port, asn=None
            )
        ],
        valid_from=NOW - dt.timedelta(days=1),
        valid_until=NOW + dt.timedelta(days=300),
        actor="rule:test",
        now=NOW,
    )


# -- files ---------------------------------------------------------------------------------------------------------


def a_photo(size: tuple[int, int] = (800, 1000), kind: str = "JPEG", **options: Any) -> bytes:
    written = io.BytesIO()
    image = Image.effect_noise(size, 40).convert("RGB")
    image.save(written, kind, **options)
    return written.getvalue()


def a_photo_with_place() -> bytes:
    """A JPEG whose EXIF says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "SampleCamera"
    exif[0x0112] = 6  # lying on its side
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 33.0, 12.0), 3: "E", 4: (74.0, 20.0, 36.0)})
    return a_photo((1000, 800), exif=exif, comment=b"taken by Sample Freelancer 31")


def a_pdf(pages: int = 1, **options: Any) -> bytes:
    written = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page(page_size=(595, 842))
        pdf.save(written, deterministic_id="encryption" not in options, **options)
    return written.getvalue()
