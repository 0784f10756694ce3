"""Webhooks against a real server: what happens becomes events, once; they arrive signed, or are tried again."""

import datetime as dt
import json
import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rahdari.address import directory
from rahdari.api import events, rules, webhook_delivery
from rahdari.api.models import IdempotentRequest, JournalPosition, RowHeardAhead, Webhook, WebhookDelivery
from rahdari.attest import attestations, disputing
from rahdari.attest.rules import Reply, Tie
from rahdari.db.gate import Jobs
from rahdari.dyndns.models import DynamicHost
from rahdari.feed import webhook
from rahdari.journal import actions as journal
from rahdari.journal import queries as record
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.mobile import listing
from rahdari.mobile.rules import Left
from rahdari.people.models import User
from rahdari.programs import idempotency, schema, webhooks
from rahdari.programs import webhook_calls as hooks
from tests.builders import mobile_lines as mobile
from tests.builders import story
from tests.builders.api_world import KNOWN, connection_of
from tests.builders.attestations import an_attestation
from tests.builders.programs import Program, problem
from tests.confirm.test_callbacks import SampleOperatorSystem, serve
from tests.db.test_gate import questions
from tests.mobile.conftest import operators

__all__ = ["operators"]
pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture(autouse=True)
def known_networks(settings: Any) -> Iterator[None]:
    settings.CALLBACK_RANGES = ["127.0.0.0/8"]
    directory.configure(None, KNOWN)
    yield
    directory.configure(None)


@pytest.fixture
def server() -> Iterator[SampleOperatorSystem]:
    yield from serve(SampleOperatorSystem())


def made(program: Program, url: str, *chosen: str) -> Any:
    webhook_delivery.note_events(now=timezone.now())
    answer = program.post("/webhooks", {"url": url, "events": list(chosen)})
    assert answer.status_code == 201, answer.content
    return answer.said


def told(server: SampleOperatorSystem) -> list[tuple[str, Any]]:
    said = [json.loads(body) for _path, _headers, body in server.taken]
    for each in said:
        # What the contract says of an event is what is sent.
        assert list(schema.faults(events.shape_of(each["type"]), each["data"])) == [], each
    return [(each["type"], each["data"]) for each in said]


def go_on(now: dt.datetime | None = None) -> None:
    now = now or timezone.now()
    webhook_delivery.note_events(now=now)
    webhook_delivery.deliver_events(now=now)


class TestEvents:
    def test_tell_the_way_of_an_application_and_name_nobody(
        self, program: Program, server: SampleOperatorSystem
    ) -> None:
        made(program, server.url)
        application = story.a_granted_application(program.person)
        registration = story.registration_of(application)
        go_on()
        assert {kind for kind, _data in told(server)} == {
            "endpoint.proved",
            "application.submitted",
            "application.decided",
            "registration.entered",
        }
        assert ("application.decided", {"application": application.reference, "outcome": "granted"}) in told(server)
        assert ("registration.entered", {"registration": registration.reference}) in told(server)
        text = str(told(server))
        assert program.person.name not in text and program.person.email not in text and "203.0.113" not in text

    def test_tell_what_is_awaited(self, program: Program, server: SampleOperatorSystem) -> None:
        made(program, server.url, "application.awaiting")
        reference = story.a_question(program.person).application.reference
        go_on()
        assert told(server) == [("application.awaiting", {"application": reference, "awaiting": "answer"})]

    def test_cost_one_query_while_there_are_none(self, program: Program, server: SampleOperatorSystem) -> None:
        tell, now = Jobs("webhooks", *webhook_delivery.JOBS), timezone.now()
        for seconds in range(3):
            tell(now + dt.timedelta(seconds=seconds))
        made(program, server.url, "application.awaiting")
        now += dt.timedelta(seconds=3)
        tell(now)
        with CaptureQueriesContext(connection) as asked:
            tell(now)
        assert len(questions(asked)) == 1
        story.a_question(program.person)
        tell(now)
        tell(timezone.now() + dt.timedelta(seconds=4))
        assert [kind for kind, _data in told(server)] == ["application.awaiting"]

    def test_of_others_are_not_told(self, program: Program, server: SampleOperatorSystem) -> None:
        made(program, server.url)
        story.a_granted_application(story.a_person())
        go_on()
        assert told(server) == []

    def test_of_a_connection_name_it(self, program: Program, server: SampleOperatorSystem) -> None:
        registration = story.registration_of(story.a_granted_application(program.person))
        host = DynamicHost.objects.get(pk=connection_of(registration))
        made(program, server.url)
        journal.record(act="dyndns.fell_silent", actor="clock", subject=f"host:{host.pk}", now=timezone.now())
        go_on()
        assert told(server) == [("dyndns.silent", {"registration": registration.reference, "connection": str(host.pk)})]

    def test_are_made_once_whatever_is_heard_again(self, program: Program, server: SampleOperatorSystem) -> None:
        made(program, server.url)
        story.send(story.a_full_draft(program.person))
        for _ in range(3):
            go_on()
        assert len(told(server)) == 2
        assert JournalPosition.objects.get().row == Row.objects.latest("id").pk
        assert not RowHeardAhead.objects.exists()

    def test_are_not_lost_when_the_process_dies(self, program: Program, server: SampleOperatorSystem) -> None:
        """In the middle of hearing: nothing is remembered, and all of it is heard again."""
        made(program, server.url)
        story.send(story.a_full_draft(program.person))

        class Killed(Exception):
            pass

        with pytest.raises(Killed), transaction.atomic():
            webhook_delivery.note_events(now=timezone.now())
            assert WebhookDelivery.objects.count() == 2
            raise Killed
        assert WebhookDelivery.objects.count() == 0
        go_on()
        assert len(told(server)) == 2

    @pytest.mark.django_db(transaction=True)
    def test_of_a_row_that_becomes_visible_late_are_made(self, program: Program, server: SampleOperatorSystem) -> None:
        """Rows are numbered when they are written and seen when they are committed: a lower number may come later."""
        one, draft = story.send(story.a_full_draft(program.person)), story.a_full_draft(program.person)
        made(program, server.url, "application.submitted")
        numbered, committing = threading.Event(), threading.Event()

        def write() -> None:
            try:
                with transaction.atomic():
                    journal.record(act="apply.submitted", actor="clock", subject=one.subject, now=timezone.now())
                    numbered.set()
                    committing.wait()
            finally:
                connection.close()

        slow = threading.Thread(target=write)
        slow.start()
        try:
            assert numbered.wait(60)
            two = story.send(draft)
            for _ in range(2):
                go_on()
            assert [data["application"] for _kind, data in told(server)] == [two.reference]
        finally:
            committing.set()
            slow.join()
        for _ in range(2):
            go_on()
        assert [data["application"] for _kind, data in told(server)] == [two.reference, one.reference]
        assert JournalPosition.objects.get().row == Row.objects.latest("id").pk
        assert not RowHeardAhead.objects.exists()

    def test_are_heard_while_somebody_always_writes(
        self, program: Program, server: SampleOperatorSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was written is complete once those have ended who were writing then, whoever has begun since."""
        made(program, server.url, "application.submitted")
        story.send(story.a_full_draft(program.person))
        last = Row.objects.latest("id").pk
        place = JournalPosition.objects.get().row
        for writing, reached in (({"1/1", "1/2"}, place), ({"1/2", "1/3"}, place), ({"1/3"}, last)):
            monkeypatch.setattr(record, "writers", lambda writing=writing: writing)
            go_on()
            assert JournalPosition.objects.get().row == reached
        assert len(told(server)) == 1

    def test_are_all_in_the_table_of_the_documentation(self) -> None:
        said = DOCS.read_text().split("\nEvents: ", 1)[1].split("\n", 1)[0]
        assert re.findall(r"`([^`]+)`", said) == [*events.EVENTS, events.TEST]

    def test_say_in_the_documentation_what_their_data_hold(self) -> None:
        rows = re.findall(r"^\| (`[a-z].*?`) \| (.*?) \|$", DOCS.read_text(), re.MULTILINE)
        found: dict[str, set[str]] = {}
        for names, members in rows:
            for name in re.findall(r"`([a-z._]+)`", names):
                if name in events.EVENTS:
                    found[name] = set(re.findall(r"`([a-z_]+\??)`", members))
        wanted = {
            event: {*needed, *(f"{name}?" for name in maybe)}
            for event in events.EVENTS
            for needed, maybe in [events.members_of(event)]
        }
        assert found == wanted

    @pytest.mark.usefixtures("operators")
    def test_tell_the_way_of_a_mobile_number(self, program: Program, server: SampleOperatorSystem) -> None:
        made(program, server.url)
        application, registration, _line = mobile.granted(program.person, reference="smp-0a1b2c3d")
        facts: dict[str, Any] = {"operator": mobile.FIRST, "reference": "smp-0a1b2c3d", "why": Left.PORTED_OUT}
        listing.operator_left(overlap=dt.timedelta(days=30), by="token:x", now=timezone.now(), **facts)
        go_on()
        said = [each for each in told(server) if each[0].startswith("mobile.")]
        assert sorted(said, key=str) == [
            ("mobile.answered", {"application": application.reference, "answer": "yes"}),
            ("mobile.confirmed", {"application": application.reference}),
            ("mobile.leaving", {"reason": "ported_out", "registration": registration.reference}),
            ("mobile.listed", {"registration": registration.reference}),
        ]
        assert "7654321" not in str(told(server))

    def test_tell_what_becomes_of_an_attestation(self, program: Program, server: SampleOperatorSystem) -> None:
        made(program, server.url)
        found, other = an_attestation(), an_attestation()
        person, now = program.person, timezone.now()
        facts: dict[str, Any] = {"holder": person.holder_ref, "person": f"person:{person.pk}", "subject": ""}
        attestations.note_use(attestation=found, weight="alone", tie=Tie.ADDRESS, now=now, **facts)
        found, _other = (
            attestations.revoke(attestation=each, revocation="left", explanation="", by="person:x", now=now)
            for each in (found, other)
        )
        matter = disputing.dispute(
            attestation=found, objection="No.", reply_due_at=now + dt.timedelta(days=5), now=now, **facts
        )
        disputing.reply(matter=matter, reply=Reply.YIELDS, text="A mix-up.", by="person:x", now=now)
        go_on()
        assert sorted(told(server), key=str) == [
            ("attestation.answered", {"attestation": found.number}),
            ("attestation.restored", {"attestation": found.number}),
            ("attestation.revoked", {"attestation": found.number, "reason": "left"}),
        ]


class TestDelivery:
    def test_is_signed_and_by_both_secrets_while_they_change(
        self, program: Program, server: SampleOperatorSystem
    ) -> None:
        first = made(program, server.url)
        one = f"/webhooks/{first['webhook']['id']}"
        second = program.post(f"{one}/secret").said
        assert program.post(f"{one}/test").status_code == 202
        now = timezone.now()
        webhook_delivery.deliver_events(now=now)
        [(_path, headers, body)] = server.taken
        for secret in (first["secret"], second["secret"]):
            webhook.verify(secret=secret, headers=headers, body=body, now=now)
        with pytest.raises(webhook.BadSignature):
            webhook.verify(secret=webhook.new_secret(), headers=headers, body=body, now=now)
        with pytest.raises(webhook.BadSignature):
            webhook.verify(secret=second["secret"], headers=headers, body=body + b" ", now=now)
        with pytest.raises(webhook.BadSignature):
            later = now + webhook.TOLERANCE + dt.timedelta(seconds=2)
            webhook.verify(secret=second["secret"], headers=headers, body=body, now=later)
        program.post(f"{one}/test")
        later = now + webhooks.SECRETS_OVERLAP + dt.timedelta(minutes=1)
        webhook_delivery.deliver_events(now=later)
        assert len(server.taken[-1][1]["webhook-signature"].split()) == 1

    def test_is_tried_again_ever_more_rarely_under_its_id(self, program: Program, server: SampleOperatorSystem) -> None:
        one = f"/webhooks/{made(program, server.url)['webhook']['id']}"
        program.post(f"{one}/test")
        server.status, now = 500, timezone.now()
        for pause in hooks.PAUSES[:3]:
            assert webhook_delivery.deliver_events(now=now) == 1
            assert webhook_delivery.deliver_events(now=now + pause - dt.timedelta(seconds=1)) == 0
            now += pause * (1 + webhooks.JITTER_PERCENT / 100)
        assert program.get(one).said["state"] == "failing"
        server.status = 200
        assert webhook_delivery.deliver_events(now=now) == 1
        assert len({headers["webhook-id"] for _path, headers, _body in server.taken}) == 1
        [item] = program.get(f"{one}/deliveries").said["items"]
        assert (item["tries"], item["finding"], item["status"], item["next_at"]) == (4, "taken", 200, None)
        assert program.get(one).said["state"] == "working"

    def test_is_given_up_after_ten_tries_and_sent_again_on_request(
        self, program: Program, server: SampleOperatorSystem
    ) -> None:
        one = f"/webhooks/{made(program, server.url)['webhook']['id']}"
        item = program.post(f"{one}/test").said
        server.status, now, tries = 503, timezone.now(), 0
        while webhook_delivery.deliver_events(now=now):
            now, tries = now + hooks.PAUSES[tries] * 1.3 if tries < len(hooks.PAUSES) else now, tries + 1
        assert tries == len(hooks.PAUSES) + 1
        server.status = 204
        assert program.post(f"{one}/deliveries/{item['id']}/redeliver").status_code == 202
        assert webhook_delivery.deliver_events(now=timezone.now()) == 1
        assert program.get(f"{one}/deliveries").said["items"][0]["finding"] == "taken"

    @pytest.mark.parametrize("status", [500, 410])
    def test_that_fails_for_long_stops_the_webhook_with_a_letter(
        self, program: Program, server: SampleOperatorSystem, status: int
    ) -> None:
        one = f"/webhooks/{made(program, server.url)['webhook']['id']}"
        server.status, now = status, timezone.now()
        for days in (1, 3, 7):
            program.post(f"{one}/test")
            webhook_delivery.deliver_events(now=now + dt.timedelta(days=days))
        assert program.get(one).said["state"] == "stopped"
        [letter] = Letter.objects.filter(template="webhook_stopped")
        assert letter.to == program.person and server.url in letter.text
        assert not WebhookDelivery.objects.filter(next_at__isnull=False).exists()
        answer = program.post(f"{one}/test")
        assert problem(answer, 409, "not-possible-now")["code"] == "stopped"
        item = program.get(f"{one}/deliveries").said["items"][0]
        answer = program.post(f"{one}/deliveries/{item['id']}/redeliver")
        assert problem(answer, 409, "not-possible-now")["code"] == "stopped"
        assert program.put(one, {"url": server.url}).said["state"] == "working"

    def test_on_its_way_when_the_webhook_is_ended_is_not_tried_again(
        self, program: Program, server: SampleOperatorSystem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = f"/webhooks/{made(program, server.url)['webhook']['id']}"
        program.post(f"{one}/test")
        server.status, now, post_all = 500, timezone.now(), hooks.post_all

        def ended_meanwhile(*args: Any, **more: Any) -> Any:
            found = post_all(*args, **more)
            assert program.delete(one).status_code == 204
            return found

        monkeypatch.setattr(hooks, "post_all", ended_meanwhile)
        assert webhook_delivery.deliver_events(now=now) == 1
        monkeypatch.undo()
        assert not WebhookDelivery.objects.filter(next_at__isnull=False).exists()
        assert webhook_delivery.deliver_events(now=now + dt.timedelta(days=1)) == 0

    def test_to_somebody_whose_account_was_closed_does_not_go_out(
        self, program: Program, server: SampleOperatorSystem
    ) -> None:
        one = f"/webhooks/{made(program, server.url)['webhook']['id']}"
        program.post(f"{one}/test")
        User.objects.filter(pk=program.person.pk).update(is_active=False)
        assert webhook_delivery.deliver_events(now=timezone.now()) == 0 and server.taken == []

    def test_waits_a_little_differently_for_each(self) -> None:
        ids = [uuid.uuid5(uuid.NAMESPACE_URL, str(number)) for number in range(20)]
        waits = {webhooks.pause(hooks.PAUSES, tries=1, id=each) for each in ids}
        assert len(waits) > 10
        assert all(hooks.PAUSES[0] <= each <= hooks.PAUSES[0] * 1.2 for each in waits if each is not None)
        assert webhooks.pause(hooks.PAUSES, tries=len(hooks.PAUSES) + 1, id=ids[0]) is None


class TestWebhook:
    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("http://program.example/", "not_https"),
            ("https://169.254.169.254/latest", "not_global"),
            ("https://10.0.0.1/", "not_global"),
            ("https://user@program.example/", "bad_address"),
            ("https://program.example:25/", "bad_port"),
        ],
    )
    def test_leads_to_a_public_place_only(self, program: Program, url: str, code: str) -> None:
        said = problem(program.post("/webhooks", {"url": url}), 422, "not-taken")
        assert [(each["pointer"], each["code"]) for each in said["errors"]] == [("/url", code)]

    def test_is_made_once_for_one_key(self, program: Program, server: SampleOperatorSystem) -> None:
        answers = [program.post("/webhooks", {"url": server.url}, headers={"Idempotency-Key": "one"}) for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert Webhook.objects.count() == 1

    def test_is_tried_anew_by_the_key_of_a_day_ago(self, program: Program, server: SampleOperatorSystem) -> None:
        """Also by that of another webhook's test, or of anything else."""
        places = [f"/webhooks/{made(program, server.url)['webhook']['id']}/test" for _ in range(2)]
        said = []
        for place in (*places, places[0]):
            answer = program.post(place, headers={"Idempotency-Key": "one"})
            assert answer.status_code == 202, answer.content
            said.append(answer.said["id"])
            assert program.post(place, headers={"Idempotency-Key": "one"}).said["id"] == said[-1]
            IdempotentRequest.objects.update(begun_at=timezone.now() - idempotency.REPLAYED_FOR)
        assert len(set(said)) == 3

    def test_keeps_its_secret_to_itself(self, program: Program, server: SampleOperatorSystem) -> None:
        said = made(program, server.url)
        one = f"/webhooks/{said['webhook']['id']}"
        assert said["secret"] not in program.get(one).content.decode()
        assert said["secret"] not in program.get("/webhooks").content.decode()

    def test_is_seen_and_ended_on_the_page(self, program: Program, server: SampleOperatorSystem) -> None:
        id = made(program, server.url)["webhook"]["id"]
        browser, other = (Client(headers={"accept-language": "en"}) for _ in range(2))
        browser.force_login(program.person)
        other.force_login(story.a_person())
        page = browser.get(reverse("api:programs")).content.decode()
        assert server.url in page and "Working" in page
        place = reverse("api:end_webhook", args=[id])
        assert other.post(place).status_code == 404
        assert browser.post(place).status_code == 302
        assert server.url not in browser.get(reverse("api:programs")).content.decode()
        assert browser.post(place).status_code == 404

    def test_that_is_ended_hears_nothing_more(self, program: Program, server: SampleOperatorSystem) -> None:
        one = f"/webhooks/{made(program, server.url)['webhook']['id']}"
        program.post(f"{one}/test")
        assert program.delete(one).status_code == 204
        story.send(story.a_full_draft(program.person))
        go_on()
        assert server.taken == []
        problem(program.get(one), 404, "not-found")
        ended = Webhook.objects.get()
        assert (ended.secret, ended.old_secret) == ("", "")

    def test_are_so_many_at_most(self, program: Program, server: SampleOperatorSystem) -> None:
        for _ in range(rules.MOST_WEBHOOKS):
            made(program, server.url)
        answer = program.post("/webhooks", {"url": server.url})
        assert problem(answer, 409, "not-possible-now")["code"] == "too_many_webhooks"
