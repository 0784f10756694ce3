"""A policy that asks for nothing holds nothing: of whoever goes the whole way under it the contact is written, sealed,
and no other word about a person, in any table."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection, models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply.models import Application, Endpoint
from rahdari.letters import sending
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.policy import SHIPPED
from rahdari.publish import queries as editions
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.vault import keys
from rahdari.vault.fields import EncryptedTextField
from tests.builders import story
from tests.builders.people import sign_in
from tests.dyndns.conftest import networks as networks  # the address is of a network that is known
from tests.portal.test_again import DAY, ends_in

pytestmark = pytest.mark.django_db

CONTACT, ADDRESS = "planted-31@contact.example", "203.0.113.31"

# Sealed columns that hold something on this way, and what. Every other one is empty from the first page to the last.
SEALED = {
    "people.User.email": "the contact",
    "letters.Letter.address": "the contact",
    "letters.Letter.subject": "what we wrote",
    "letters.Letter.text": "what we wrote",
    "letters.Letter.html": "what we wrote",
}
# Columns in the open that hold text of somebody's own: all of them are empty.
PERSONAL = re.compile(
    r"name|cnic|card|ntn|company|mobile|phone|telephone|email|contact|purpose|evidence_(kind|text)|association|"
    r"organisation|subscriber|label|words|note|text|answer|because|agent|city|payer",
    re.IGNORECASE,
)


# Of these the text is ours, or the contact's keyed hash.
OURS = {
    "contenttypes.ContentType.app_label": "a table's",
    "auth.Permission.name": "a table's",
    "auth.Permission.codename": "a table's",
    "apply.FrozenPolicy.text": "the policy's",
    "apply.Endpoint.operator_name": "an operator's",
    "checks.Check.answered_by": "a rule's",
    "people.User.email_index": "the keyed hash of the contact",
}
# What the pages of the whole way ask: the contact, the address and what runs there, a word for the machine, that the
# answers are true, the language of letters; and what the pages themselves carry along.
ASKED = set("email which block kind protocol port remote stays label declare language".split())
ASKED |= set("csrfmiddlewaretoken id next token version".split())


@pytest.fixture(autouse=True)
def under_the_declaration(settings: Any, tmp_path: Path) -> Iterator[None]:
    # Of its own: a feed that knows more than the database is not gone on with.
    settings.DATA = tmp_path / "data"
    settings.DATA.mkdir()
    keys.make_missing(settings.DATA / "keys")
    settings.POLICY_FILE = tmp_path / "declaration.toml"
    settings.POLICY_FILE.write_bytes(SHIPPED["declaration"].read_bytes())
    cache.clear()  # tries to sign in are counted there
    yield
    cache.clear()


def columns() -> Iterator[tuple[type[models.Model], Any]]:
    for model in apps.get_models():
        if not model._meta.proxy:
            yield from ((model, field) for field in model._meta.concrete_fields)


def name_of(model: type[models.Model], field: Any) -> str:
    return f"{model._meta.label}.{field.name}"


def sealed() -> set[str]:
    """Sealed columns in which any row holds anything."""
    found = set()
    for model, field in columns():
        if isinstance(field, EncryptedTextField):
            rows = model._default_manager.order_by().values_list(field.attname, flat=True)
            if any(rows):
                found.add(name_of(model, field))
    return found


def everything() -> dict[str, str]:
    """Each table of the database, as text: also those that no model describes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = {}
        for (name,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{name}\" t")
            found[name] = cursor.fetchone()[0]
    return found


def in_the_open(secret: str) -> list[str]:
    """Tables that hold the text where anybody with a copy of the database reads it."""
    return sorted(name for name, content in everything().items() if secret in content)


def personal() -> list[str]:
    """What in the open is named after something of a person's and holds anything, but for ours: columns, and keys of
    what is kept as JSON."""
    found = set()
    for model, field in columns():
        if isinstance(field, EncryptedTextField) or field.is_relation:
            continue
        values = model._default_manager.order_by().values_list(field.attname, flat=True)
        if isinstance(field, models.JSONField):
            found |= {f"{name_of(model, field)}:{key}" for value in values for key in keys_in(value)}
        elif isinstance(field, models.CharField | models.TextField) and PERSONAL.search(field.name) and any(values):
            found.add(name_of(model, field))
    return sorted(found - set(OURS))


def keys_in(value: Any) -> Iterator[str]:
    """Keys that are named after something of a person's, and have a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        if isinstance(key, str) and PERSONAL.search(key) and each:
            yield key
        yield from keys_in(each)


class Holder:
    """Somebody with a browser at the address, from the start page on."""

    def __init__(self) -> None:
        self.browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR=ADDRESS)
        self.fields: set[str] = set()

    def see(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer)
        page = str(answer.content.decode())
        main = page.partition("<main")[2].partition("</main>")[0]
        self.fields |= set(re.findall(r'<(?:input|textarea|select)[^>]* name="(\w+)"', main))
        return page

    def send(self, path: str, /, **given: Any) -> str:
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.see(path))
        kept = {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}
        answer = self.browser.post(path, kept | given)
        assert answer.status_code == 302, (path, re.findall(r'class="err"[^>]*>(.*?)</p>', answer.content.decode()))
        return str(answer["Location"])

    def follow(self, path: str) -> str:
        """Where redirects lead."""
        while (answer := self.browser.get(path)).status_code == 302:
            path = answer["Location"]
        return path

    def apply(self) -> Application:
        """Start, which address, the contact's code, the address, and send, which proves it."""
        self.see(reverse("portal:start"))
        page = self.see(reverse("apply:start"))
        assert 'name="which"' in page and not re.search('name="(who|use)"', page), "nobody is asked who or what for"
        assert self.send(reverse("apply:start"), which="line") == reverse("apply:ready")
        self.see(reverse("apply:ready"))
        first = sign_in(self.browser, CONTACT, to=reverse("apply:ready"))
        where = self.follow(first)
        application = Application.objects.get()
        assert where == reverse("apply:add_address", args=[application.reference])
        where = self.follow(self.send(where, block=ADDRESS, which="line", stays="static"))
        # Sent from the address, which proves it.
        assert where == reverse("portal:check", args=[application.reference])
        self.send(where, declare="on")
        story.advance()
        self.see(reverse("portal:status", args=[application.reference]))
        return story.fresh(application)


def registration_of(application: Application) -> Registration:
    found = register.registration_from(application.subject)
    assert found is not None
    return found


def go_the_whole_way(holder: Holder, offline: Path) -> Registration:
    """From the start page over the register and the feed to the renewal."""
    application = holder.apply()
    assert application.status == "granted"
    registration = registration_of(application)
    holder.see(reverse("portal:registration", args=[registration.reference]))
    holder.see(reverse("portal:certificate", args=[registration.reference]))
    holder.see(reverse("portal:home"))
    holder.see(reverse("people:account"))
    story.published(offline)
    latest = editions.latest_edition()
    assert latest is not None
    ends_in(registration, 20)
    story.advance()
    renew = reverse("portal:renew", args=[registration.reference])
    holder.see(renew)
    holder.browser.post(renew, {"act": "as_it_is"})
    story.advance()
    renewed = register.fresh(registration)
    assert renewed.valid_until > timezone.now() + 150 * DAY
    return renewed


class TestTheWholeWay:
    def test_holds_the_contact_and_nothing_else_of_a_person(self, tmp_path: Path) -> None:
        holder = Holder()
        registration = go_the_whole_way(holder, tmp_path / "offline")
        assert sealed() == set(SEALED)
        assert personal() == [], "\n".join(personal())
        assert in_the_open(CONTACT) == [] and in_the_open(CONTACT.partition("@")[0]) == []
        user = User.objects.get()
        assert (user.email, user.name) == (CONTACT, "")
        # What the pages asked: an address, what runs there, the contact, and a tick.
        assert not holder.fields - ASKED, " ".join(sorted(holder.fields - ASKED))

        # The end, and all that was kept for a time.
        holder.send(reverse("portal:end_registration", args=[registration.reference]), number=registration.reference)
        while sending.send_due(now=timezone.now()):
            pass
        later = timezone.now() + dt.timedelta(days=400)
        for _ in range(3):
            workflow.advance(now=later)
            later += dt.timedelta(days=40)
        assert sealed() == {"people.User.email"}
        assert not Endpoint.objects.exists() and not Letter.objects.exclude(template="code").exists()
        # What was listed goes when no file of the feed can speak of it any more; until then it says of nobody.
        assert set(in_the_open(ADDRESS)) <= {"register_entry", "register_change", "publish_listing"}
        assert register.fresh(registration).holder != user.holder_ref

    def test_a_name_that_was_known_before_goes_nowhere(self, tmp_path: Path) -> None:
        """Somebody who gave a name under other rules is not asked for one, and none is copied."""
        user = story.a_person()
        user.email = CONTACT
        user.save()
        registration = go_the_whole_way(Holder(), tmp_path / "offline")
        assert sealed() - set(SEALED) == {"people.User.name"}
        page = Client().get(f"/check/?number={registration.reference}").content.decode()
        assert user.name not in page and "person’s name" not in page


class TestWouldBeSeen:
    """A fault that is planted."""

    def test_if_a_name_were_copied(self, tmp_path: Path) -> None:
        application = Holder().apply()
        assert sealed() <= set(SEALED)
        application.name = "Planted Person"
        application.save()
        assert sealed() - set(SEALED) == {"apply.Application.name"}

    def test_if_the_contact_stood_in_the_open(self, tmp_path: Path) -> None:
        application = Holder().apply()
        assert in_the_open(CONTACT) == []
        Application.objects.filter(pk=application.pk).update(evidence_kind=CONTACT)
        assert in_the_open(CONTACT) == ["apply_application"]

    def test_if_a_column_in_the_open_held_what_somebody_does(self) -> None:
        application = Holder().apply()
        assert personal() == [], "\n".join(personal())
        Application.objects.filter(pk=application.pk).update(evidence_kind="client_letter")
        assert personal() == ["apply.Application.evidence_kind"]

    def test_if_a_page_asked_for_a_name(self, settings: Any, tmp_path: Path) -> None:
        text = SHIPPED["declaration"].read_text(encoding="utf-8")
        settings.POLICY_FILE = tmp_path / "policy.toml"
        settings.POLICY_FILE.write_text(
            text.replace("[services.vpn]\n", '[services.vpn]\nasks = { contact_number = "required" }\n'),
            encoding="utf-8",
        )
        holder = Holder()
        with pytest.raises(AssertionError):  # the next task is another one
            holder.apply()
        holder.see(reverse("apply:contact", args=[Application.objects.get().reference]))
        assert {"name", "mobile"} <= holder.fields - ASKED
