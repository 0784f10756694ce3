"""The pages of draft rules in Chromium at 360 px, fetched first: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Route, sync_playwright

from rahdari import policy
from rahdari.consult import actions, answering, bodies, moderating, speaking, telling
from rahdari.consult.models import Comment
from rahdari.consult.rules import Hidden, Outcome
from rahdari.portal.public import consultation_effort
from tests.builders import story
from tests.builders.consultations import (
    BOTH,
    DAY,
    OFFICER,
    SECOND,
    a_body,
    a_claim,
    a_comment,
    a_draft,
    code_for,
    next_version,
    said,
)
from tests.in_browser import ARGUMENTS, faults_on_a_small_phone
from tests.needs import needs_chromium
from tests.waiting import PATIENCE

from .test_groups import LETTER
from .test_pages import NIGHT, at, say, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.browser, pytest.mark.whole]
LONG = (
    "The Authority decides at any time, see https://shop.example/of-a-very-long-name/that-breaks-nowhere-at-all, "
    "also at night. " * 4
)


def pages_of(language: str) -> Iterator[tuple[str, str]]:
    now = timezone.now()
    reader, desk = visitor(language), visitor(language, story.an_officer())
    yield "consultations-none", reader.get("/consultations/").text
    yield "desk-none", desk.get("/desk/consultations/").text
    version = a_draft(now=now - 35 * DAY)
    draft = version.draft
    then = now - 34 * DAY
    quoted = {"en": "at least 5 seats", "ur": "کم از کم 5 نشستیں"}[language]
    kept = {"en": "The clock stops while a question is open.", "ur": "جب تک کسی سوال کا جواب باقی ہو، وقت رکا رہے گا۔"}
    seats = a_comment(draft, now=then, clause="9.2", quoted=quoted, language=language, words=LONG, name="Reader" * 9)
    clock = a_comment(draft, now=then, clause="9.1", quoted=kept[language], language=language, words="Good. Keep it.")
    a_comment(draft, now=then, words="The best part of the draft. Keep it for all.")
    a_comment(draft, now=then, words="the best part of the draft keep it for all")
    hearing = actions.announce_hearing(draft=draft, held_at=then + DAY, place=BOTH, actor=OFFICER, now=then)
    yield "desk-minutes", desk.get(at("desk_draft", draft)).text
    actions.add_minutes(hearing=hearing, minutes=BOTH, actor=OFFICER, now=now)
    for days in (40, 50):
        later = actions.announce_hearing(draft=draft, held_at=now + days * DAY, place=BOTH, actor=OFFICER, now=now)
    yield "desk-call-off-error", desk.post(at("call_off_hearing", draft), {"hearing": str(later.pk)}).text
    for each in draft.hearings.filter(held_at__gt=now):
        why = policy.Text(LONG, "ہال اس دن بند ہے۔ نئی تاریخ کا اعلان جلد ہو گا۔")
        actions.call_off_hearing(hearing=each, why=why, actor=OFFICER, now=now)
    yield "desk-called-off", desk.get(at("desk_draft", draft)).text
    changed = {"at least 5 seats": "a licence", "کم از کم 5 نشستیں ہوں": "لائسنس ہو"}
    next_version(version, NIGHT | changed, now=now)
    yield "draft", reader.get(at("consultation", draft)).text
    yield "draft-against-1", reader.get(at("consultation", draft) + "?version=2&against=1").text
    yield "draft-earlier", reader.get(at("consultation", draft) + "?version=1").text
    yield "say", reader.get(at("say", draft) + "?on=9.1").text
    body = a_body()
    yield "body", reader.get(reverse("portal:body", args=[body.pk, bodies.token_of(body)])).text
    yield "say-for", reader.get(at("say_for", draft, body=body.pk, token=bodies.token_of(body))).text
    yield "say-whole", reader.get(at("say", draft)).text
    yield "say-error", say(reader, draft, "9.1", quoted="nothing of it", email="no", version="2").text
    yield "say-newer", say(reader, draft, "9.1", words=LONG).text
    sent = say(reader, draft, "9.1", words=LONG, version="2")
    yield "prove", reader.get(sent.url).text
    yield "prove-error", reader.post(sent.url, {"code": "12345678"}).text
    mine = Comment.objects.get(draft=draft, number=None)
    mine = speaking.prove(comment=mine, code=code_for(mine), now=timezone.now())
    yield "comment", reader.get(at("consultation_comment", draft, number=mine.number)).text
    yield "comment-gone", reader.get(at("consultation_comment", draft, number=seats.number)).text
    yield "comment-kept", reader.get(at("consultation_comment", draft, number=clock.number)).text
    yield "comment-signed", reader.get(at("consultation_comment", draft, number=4)).text
    yield "comments", reader.get(at("consultation_comments", draft) + "?on=9.1").text
    draft.refresh_from_db()
    for name in ("Reader", "Reader of Multan", "Reader of Quetta"):
        a_comment(draft, words=LETTER.format(name))
    head = Comment.objects.get(draft=draft, like=None, words=LETTER.format("Reader"))
    yield "group", reader.get(at("consultation_comments", draft) + f"?like={head.number}").text
    yield "comment-in-group", reader.get(at("consultation_comment", draft, number=head.number + 1)).text
    named = at("claim_name", draft, number=head.number)
    yield "claim", reader.get(named).text
    yield "claim-error", reader.post(named, {"email": "no"}).text
    yield "claim-code", reader.get(reader.post(named, {"email": "named@reader.example"}).url).text
    a_claim(head)
    yield "claimed", reader.get(named).text
    yield (
        "claimed-author",
        reader.get(at("dispute_comment", draft, comment=head.pk, token=telling.token_of(head))).text,
    )
    yield "desk-names", desk.get(at("desk_draft", draft)).text
    moderating.hide(comment=seats, why=Hidden.ABUSE, actor=OFFICER, now=now)
    link = at("dispute_comment", draft, comment=seats.pk, token=telling.token_of(seats))
    yield "dispute", reader.get(link).text
    yield "disputed", reader.post(link).text
    yield "moderation", reader.get(at("consultation_moderation", draft)).text
    yield "desk-hide-error", desk.post(at("hide_comment", draft), {}).text
    yield "desk-hide", desk.post(at("hide_comment", draft), {"number": str(clock.number), "why": "abuse"}).text
    yield "desk-to-review", desk.get(at("desk_draft", draft)).text
    yield "comment-hidden", reader.get(at("consultation_comment", draft, number=seats.number)).text
    moderating.review(comment=seats, show=True, actor=SECOND, now=now)
    yield "desk-draft", desk.get(at("desk_draft", draft)).text
    yield "desk-answer-error", desk.post(at("answer_comments", draft), {"outcome": "kept"}).text
    given = {"draft": draft, "point": BOTH, "text": BOTH, "actor": OFFICER, "now": now}
    answering.answer(numbers=[1], outcome=Outcome.CHANGED, clause="9.2", **given)  # type: ignore[arg-type]
    yield "answers-some", reader.get(at("consultation_answers", draft)).text
    answering.answer(numbers=[2, 3, 5, 6], outcome=Outcome.KEPT, **given)  # type: ignore[arg-type]
    yield "answers", reader.get(at("consultation_answers", draft)).text
    later = now + 20 * DAY
    actions.propose(draft=draft, actor=OFFICER, now=later)
    actions.adopt(draft=draft, actor=SECOND, now=later)
    yield "draft-adopted", reader.get(at("consultation", draft)).text
    yield "desk-adopted", desk.get(at("desk_draft", draft)).text
    second = a_draft()
    actions.withdraw(draft=second.draft, why=BOTH, actor=OFFICER, now=now)
    yield "draft-withdrawn", reader.get(at("consultation", second.draft)).text
    late = a_draft(now=now - 90 * DAY).draft
    yield "draft-late", reader.get(at("consultation", late)).text
    yield "not-open", say(reader, late, words=LONG).text
    yield "desk-to-propose", desk.get(at("desk_draft", late)).text
    actions.propose(draft=late, actor=OFFICER, now=now)
    yield "desk-to-adopt", desk.get(at("desk_draft", late)).text
    said(a_draft().draft)
    yield "consultations", reader.get("/consultations/").text
    yield "desk-drafts", desk.get("/desk/consultations/").text


@pytest.mark.parametrize("language", ["en", "ur"])
def test_the_pages_are_read_by_everybody_on_a_small_phone(language: str) -> None:
    pages = [(f"consult-{name}", page) for name, page in pages_of(language)]
    assert faults_on_a_small_phone(pages, language) == []


def test_a_browser_does_the_work_while_somebody_writes() -> None:
    """At a secure origin, as every register is: the number is found, and it is one that we asked for."""
    markup = visitor().get(at("say", a_draft().draft)).text
    script = Path(str(finders.find("portal/effort.js"))).read_text()
    chromium = needs_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        kinds = {True: (script, "text/javascript"), False: (markup, "text/html; charset=utf-8")}

        def answer(route: Route) -> None:
            body, kind = kinds[route.request.url.endswith(".js")]
            route.fulfill(body=body, content_type=kind)

        page.route("**/*", answer)
        page.goto("http://localhost/")
        page.wait_for_function("document.querySelector('[name=effort]').value !== ''", timeout=120_000)
        work = page.locator("[name=effort]").input_value()
        browser.close()
    assert consultation_effort.is_done(work) and not consultation_effort.is_done(work)
