"""A client who was asked by mail, for programs: how far it is, once more, and another address."""

import datetime as dt

import pytest
from django.utils import timezone

from rahdari.apply import drafts
from rahdari.vouch.models import ReferenceRequest
from tests.builders import story
from tests.builders.programs import Program, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]


def test_is_shown_sent_once_more_and_corrected(program: Program) -> None:
    draft = story.fill(story.a_draft(program.person))
    facts = {"application": draft, "actor": story.actor_of(program.person), "now": timezone.now()}
    drafts.save_evidence(kind="client_confirms", text="accounts@client.example", **facts)
    story.prove(story.add(draft))
    place = f"/applications/{draft.reference}/client"
    assert program.get(place).status_code == 404, "nobody was asked yet"
    story.send(story.fresh(draft))
    story.advance()

    said = program.get(place).said
    assert (said["address"], said["domain"], said["name"]) == (
        "accounts@client.example",
        "client.example",
        program.person.name,
    )
    awaited = program.get(f"/applications/{draft.reference}").said["awaited"]
    assert [(each["what"], each["from"], each["until"]) for each in awaited] == [("check", "client", said["answer_by"])]

    assert problem(program.post(f"{place}/letter"), 409, "not-possible-now")["code"] == "too_soon"
    ReferenceRequest.objects.update(asked_at=timezone.now() - dt.timedelta(hours=25))
    sent = program.post(f"{place}/letter")
    assert sent.status_code == 202 and sent.said["resent_at"] and sent.said["send_again_from"] is None
    assert problem(program.post(f"{place}/letter"), 409, "not-possible-now")["code"] == "too_soon"

    for wrong in ("", "no address", "somebody@gmail.com"):
        assert problem(program.put(place, {"address": wrong}), 422, "not-taken")["errors"][0]["pointer"] == "/address"
    assert program.put(place, {"address": "office@client-two.example"}).status_code == 204
    story.advance()
    assert program.get(place).said["address"] == "office@client-two.example"
    assert ReferenceRequest.objects.get(domain="client.example").state == "withdrawn"
    assert Program().get(place).status_code == 404
