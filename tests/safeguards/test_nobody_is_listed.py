"""Nobody is on a list of those who are not registered: when the clocks have run, nothing here says who they were, or
where."""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from rahdari import line, policy
from rahdari.address import parse_parts
from rahdari.apply import actions as apply
from rahdari.apply.models import Application
from rahdari.decide import actions as decide
from rahdari.decide.models import Case, Question
from rahdari.letters.models import Letter
from rahdari.line import keeping
from rahdari.people.models import User
from tests.apply.sample import a_photo, cnic_of
from tests.portal import story

pytestmark = pytest.mark.django_db
RULES = policy.current(settings.POLICY_FILE)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Planted:
    """A person whose every word is unlike any other's."""

    application: Application
    words: frozenset[str]


def somebody(*, known: bool = True) -> Planted:
    number = next(_numbers)
    person = story.a_person()
    name, purpose = f"Zarwashtine Quibbleforth {number}", f"A tunnel to vellichorium {number}"
    contact, paper = f"Xanthippe Katabatic {number}", f"quillfeather-{number}.jpg"
    evidence = f"From studio{number}@sesquipedalian.example: we work with you."
    address = f"{story.KNOWN if known else story.UNKNOWN}{100 + number}"
    application = story.a_draft(person)
    facts = {"application": application, "actor": story.actor_of(person), "now": timezone.now()}
    cnic = cnic_of(person)
    apply.save_person(name=name, cnic=cnic, **facts)
    apply.save_contact(name=contact, mobile=f"+9230000{number:05}", **facts)
    apply.save_purpose(use="clients", purpose=purpose, **facts)
    apply.save_evidence(kind="client_email", text=evidence, **facts)
    apply.attach_document(rule="evidence", name=paper, content=a_photo(), **facts)
    apply.add_endpoint(block=address, runs="wireguard", parts=parse_parts("udp 51820"), **facts)
    story.prove(application.endpoints.get())
    words = {name, purpose, contact, paper, evidence, address, cnic, f"30000{number:05}"}
    return Planted(story.fresh(application), frozenset(words))


def dump() -> dict[str, str]:
    """Every table, as whoever has the keys reads it."""
    found = {}
    for model in apps.get_models():
        rows = []
        for row in model._default_manager.all():
            rows += [str(getattr(row, field.attname)) for field in model._meta.concrete_fields]
        found[model._meta.db_table] = "\n".join(rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            found[name] = "\n".join([found.get(name, ""), *(text for (text,) in cursor.fetchall())])
    return found


def places_of(planted: Planted) -> dict[str, set[str]]:
    tables = dump()
    return {table: hits for table, text in tables.items() if (hits := {word for word in planted.words if word in text})}


def papers() -> set[str]:
    folder = settings.DATA / "documents"
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def all_letters_went_out() -> None:
    Letter.objects.exclude(state="sent").update(state="sent", sent_at=timezone.now())


# -- how an application comes to nothing -----------------------------------------------------------------------------


def never_finished() -> Planted:
    return somebody()


def withdrawn_draft() -> Planted:
    planted = somebody()
    apply.withdraw_application(
        application=planted.application, actor=story.actor_of(planted.application.applicant), now=timezone.now()
    )
    return planted


def withdrawn() -> Planted:
    planted = somebody(known=False)
    story.send(planted.application)
    story.advance()
    apply.withdraw_application(
        application=planted.application, actor=story.actor_of(planted.application.applicant), now=timezone.now()
    )
    return planted


def _case_of(planted: Planted) -> tuple[Case, User]:
    story.send(planted.application)
    story.advance()
    officer = story.an_officer()
    case = story.case_of(planted.application)
    decide.take_case(case=case, officer=officer, now=timezone.now())
    return case, officer


def not_pursued() -> Planted:
    planted = somebody(known=False)
    case, officer = _case_of(planted)
    decide.ask_question(case=case, officer=officer, code="Q4", text="Which clients?", now=timezone.now())
    line.advance(now=timezone.now() + dt.timedelta(days=40))
    assert Question.objects.get(case=case).lapsed_at is not None
    return planted


def refused() -> Planted:
    planted = somebody(known=False)
    case, officer = _case_of(planted)
    story.denied(planted.application)
    decide.propose_refusal(case=case, officer=officer, codes=["R3"], text="No contract.", now=timezone.now())
    notice = case.notices.get()
    decide.answer_notice(
        notice=notice,
        answer="The line is my landlord's.",
        actor=story.actor_of(planted.application.applicant),
        now=timezone.now(),
    )
    second = story.an_officer(rank="director", role="supervisor")
    decide.second_refusal(
        case=story.case_of(planted.application), officer=second, because="It is another's.", now=timezone.now()
    )
    return planted


STATES: tuple[Callable[[], Planted], ...] = (never_finished, withdrawn_draft, withdrawn, not_pursued, refused)


class TestWhoeverCameToNothing:
    def test_would_be_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One room that forgets to erase is enough."""
        planted = refused()
        all_letters_went_out()
        monkeypatch.setattr(keeping.confirm, "erase_addresses", lambda **_: None)
        line.advance(now=timezone.now() + dt.timedelta(days=400))
        assert set(places_of(planted)) == {"confirm_question"}

    @pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
    def test_is_nowhere_when_the_clocks_have_run(
        self, state: Callable[[], Planted], django_capture_on_commit_callbacks: Callable[..., object]
    ) -> None:
        before = papers()
        planted = state()
        all_letters_went_out()
        assert places_of(planted), "nothing was planted"
        later = timezone.now() + dt.timedelta(days=400)
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            line.advance(now=later)
        all_letters_went_out()
        with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            line.advance(now=later)
        assert places_of(planted) == {}
        assert papers() - before == set()
