"""What an officer asks or announces, the applicant's answer, and what was decided: with reasons, law and remedies."""

import datetime as dt

from django.utils.translation import get_language

from rahdari.appeal import queries as appeals
from rahdari.applicant.answers import AnotherOfficer, may_take_more_time
from rahdari.applicant.answers import Answer as AnswerForm
from rahdari.applicant.titles import words as in_words
from rahdari.apply import queries as apply
from rahdari.apply.models import Application
from rahdari.decide import case_clock, due, hearings, notes, queries, questions, recusing, refusals, remedies
from rahdari.decide.models import Case, CaseQuestion, Notice
from rahdari.people.acting import Acting
from rahdari.policy import Allowance, Forum
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import IMPOSSIBLE, REFUSED, not_found, of_form
from rahdari.programs.schema import MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text
from rahdari.programs.schema import whole as number

from .applications import ONE, READ, WRITE, own, whole
from .interface import API, Call
from .serializers import APPLICATION, stamp, stamp_or_none

read = API.part("decisions", READ)
write = API.part("decisions", WRITE)
REASON = named(
    "Reason",
    closed(
        {
            "code": text(20),
            "text": text(4000),
            "advice": text(4000),
            "provisions": listed(closed({"instrument": text(500), "place": text(200)})),
            "remedies": listed(closed({"key": text(60), "text": text(4000)})),
        }
    ),
)
QUESTION = named(
    "CaseQuestion",
    closed(
        {
            "code": text(20),
            "text": text(20_000),
            "asked_at": MOMENT,
            # Null while the letter has come back: the time has not begun.
            "answer_until": or_null(MOMENT),
            "lapsed": TRUTH,
            "more_time_possible": TRUTH,
            "draft": text(20_000),
        }
    ),
)
HEARING = closed(
    {
        "starts_at": MOMENT,
        "place": text(2000),
        "outcome": choice("", "attended", "nobody_came", "moved"),
        "attended": text(2000),
        "minutes": text(20_000),
    }
)
NOTICE = named(
    "Notice",
    closed(
        {
            "text": text(20_000),
            "reasons": listed(REASON),
            "sent_at": MOMENT,
            # Null while the letter has come back: the time has not begun.
            "answer_until": or_null(MOMENT),
            "answered_at": or_null(MOMENT),
            "may_answer": TRUTH,
            "draft": text(20_000),
            # Of a registration that is to be taken back: until when it is decided, or stays as it is.
            "decide_by": or_null(MOMENT),
            "order": text(1000),
            "hearing": choice("none", "asked", "over"),
            "may_ask_for_hearing": TRUTH,
            "hearings": listed(HEARING),
        }
    ),
)
SPAN = closed({"length": number(0, 100_000), "unit": text(20)})
FORUM = closed(
    {"title": text(500), "sits": text(2000), "file_within": SPAN, "decides_within": SPAN, "runs_from": text()}
)
DECISION = named(
    "Decision",
    closed(
        {
            "outcome": choice("granted", "refused"),
            "at": MOMENT,
            "by_rule": TRUTH,
            "policy": text(60),
            "text": text(20_000),
            "registration": or_null(text(12)),
            "provisional_until": or_null(MOMENT),
            "reasons": listed(REASON),
            "appeal": or_null(closed({"until": or_null(MOMENT), "forum": or_null(FORUM)})),
            "readable_until": or_null(MOMENT),
        }
    ),
)
NOTES = closed(
    {"notes": listed(closed({"at": MOMENT, "text": text(20_000), "kept_back": choice("", "other_person", "check")}))}
)
ANSWERING = closed({"answer": text(20_000)})


def _case(call: Call, reference: str) -> tuple[Application, Acting, Case]:
    row, by = own(call, reference)
    case = queries.case_of(row)
    if case is None:
        raise not_found()
    return row, by, case


def _reason(found: remedies.RefusedFor) -> Json:
    reason = found.reason
    language = get_language()
    return {
        "code": reason.code,
        "text": in_words(reason.text),
        "advice": in_words(reason.advice),
        "provisions": [{"instrument": each.name(language), "place": each.place} for each in found.provisions],
        "remedies": [{"key": each.key, "text": in_words(each.text)} for each in found.remedies],
    }


def _answer(call: Call, row: Application) -> str:
    asked = queries.awaiting_answer(row)
    papers = asked is not None and apply.documents_of_answer(row, asked.subject).exists()
    form = AnswerForm(call.body, longest=case_clock.policy_of(row).limits.answer_characters, papers=papers)
    if not form.is_valid():
        raise of_form(form)
    answer: str = form.cleaned_data["answer"]
    return answer


def _draft(call: Call, row: Application) -> str:
    form = AnswerForm(call.body, longest=case_clock.policy_of(row).limits.answer_characters, papers=True)
    if not form.is_valid():
        raise of_form(form)
    draft: str = form.cleaned_data["answer"]
    return draft


# -- a question ------------------------------------------------------------------------------------------------------


def _question(call: Call, reference: str) -> tuple[Application, Acting, CaseQuestion]:
    row, by, case = _case(call, reference)
    asked = queries.open_question(case)
    if asked is None:
        raise not_found()
    return row, by, asked


def _as_json(row: Application, asked: CaseQuestion) -> Json:
    policy = case_clock.policy_of(row)
    reason = policy.reasons.get(asked.code)
    words = [in_words(reason.text) if reason is not None else "", asked.text]
    return {
        "code": asked.code,
        "text": "\n".join(each for each in words if each),
        "asked_at": stamp(asked.asked_at),
        "answer_until": stamp_or_none(case_clock.answer_until(asked)),
        "lapsed": asked.lapsed_at is not None,
        "more_time_possible": may_take_more_time(asked, policy),
        "draft": asked.draft,
    }


@read("GET", f"{ONE}/question", Ok("It.", QUESTION))
def get_question(call: Call, reference: str) -> Answer:
    """The officer's open question.

    404 when none is open. While one is, the officer's clock stands still.
    """
    row, _by, asked = _question(call, reference)
    return Answer(_as_json(row, asked))


@write(
    "POST",
    f"{ONE}/question/answer",
    Ok("The application; the first answer counts.", APPLICATION, tag=True),
    body=ANSWERING,
    problems=REFUSED,
)
def answer_question(call: Call, reference: str) -> Answer:
    """Answer the question.

    Papers that go with it are uploaded first, with the rule `answer`; then the words may be empty.
    """
    row, by, asked = _question(call, reference)
    questions.answer_question(question=asked, answer=_answer(call, row), actor=by.actor, now=call.now)
    return whole(call, row)


@write("PUT", f"{ONE}/question/draft", Ok("The question, with the draft.", QUESTION), body=ANSWERING, problems=REFUSED)
def save_question_draft(call: Call, reference: str) -> Answer:
    """Keep a draft of the answer.

    For you alone: no officer sees it, nothing is answered, and no clock moves. An empty one is thrown away.
    """
    row, by, asked = _question(call, reference)
    questions.save_answer_draft(asked=asked, text=_draft(call, row), actor=by.actor, now=call.now)
    asked.refresh_from_db()
    return Answer(_as_json(row, asked))


@write("POST", f"{ONE}/question/more-time", Ok("The question with its new last day.", QUESTION), problems=IMPOSSIBLE)
def extend_question(call: Call, reference: str) -> Answer:
    """Take more time to answer."""
    row, by, asked = _question(call, reference)
    return Answer(_as_json(row, questions.extend_question(question=asked, actor=by.actor, now=call.now)))


# -- a notice before a refusal ---------------------------------------------------------------------------------------


@read("GET", f"{ONE}/notice", Ok("The notice.", NOTICE))
def get_notice(call: Call, reference: str) -> Answer:
    """The notice before a refusal, or before a registration is revoked.

    404 when there is none. Nothing is decided before you could answer it, and a second officer reads the answer.
    """
    row, _by, told = _notice(call, reference)
    return Answer(_notice_as_json(row, told))


def _notice(call: Call, reference: str) -> tuple[Application, Acting, Notice]:
    row, by, case = _case(call, reference)
    told = queries.open_notice(case)
    if told is None:
        raise not_found()
    return row, by, told


def _notice_as_json(row: Application, told: Notice) -> Json:
    policy = case_clock.policy_of(row)
    return {
        "text": f"{told.text}\n{told.evidence}".strip(),
        "reasons": [_reason(remedies.reason_with_law(policy, code)) for code in told.codes],
        "sent_at": stamp(told.sent_at),
        "answer_until": stamp_or_none(case_clock.answer_until(told)),
        "answered_at": stamp_or_none(told.answered_at),
        "may_answer": told.may_answer,
        "draft": told.draft,
        "decide_by": stamp_or_none(case_clock.decided_until(told)) if told.decide_by is not None else None,
        "order": told.order_named,
        "hearing": str(told.hearing),
        "may_ask_for_hearing": hearings.may_ask(told),
        "hearings": [
            {
                "starts_at": stamp(each.starts_at),
                "place": each.place,
                "outcome": each.outcome,
                "attended": each.attended,
                "minutes": each.minutes,
            }
            for each in hearings.hearings_of(told)
        ],
    }


@write("PUT", f"{ONE}/notice/draft", Ok("The notice, with the draft.", NOTICE), body=ANSWERING, problems=REFUSED)
def save_notice_draft(call: Call, reference: str) -> Answer:
    """Keep a draft of your side.

    For you alone: no officer sees it, nothing is answered, and no clock moves. An empty one is thrown away.
    """
    row, by, told = _notice(call, reference)
    questions.save_answer_draft(asked=told, text=_draft(call, row), actor=by.actor, now=call.now)
    told.refresh_from_db()
    return Answer(_notice_as_json(row, told))


@write(
    "POST",
    f"{ONE}/notice/answer",
    Ok("The application; the first answer counts.", APPLICATION, tag=True),
    body=ANSWERING,
    problems=REFUSED,
)
def answer_notice(call: Call, reference: str) -> Answer:
    """Tell your side.

    Papers that go with it are uploaded first, with the rule `answer`; then the words may be empty.
    """
    row, by, told = _notice(call, reference)
    refusals.answer_notice(notice=told, answer=_answer(call, row), actor=by.actor, now=call.now)
    return whole(call, row)


@write(
    "POST",
    f"{ONE}/notice/hearing",
    Ok("The notice, with the hearing asked for.", NOTICE),
    problems=IMPOSSIBLE,
)
def ask_for_hearing(call: Call, reference: str) -> Answer:
    """Ask to be heard before it is decided.

    Before a registration is revoked, and before a refusal with `hearing` among the remedies of a reason. An officer
    then sets a day, and tells you by letter; nothing is decided before it. Doing it twice changes nothing.
    """
    row, by, told = _notice(call, reference)
    return Answer(_notice_as_json(row, hearings.ask_for_hearing(notice=told, actor=by.actor, now=call.now)))


# -- who decides -----------------------------------------------------------------------------------------------------


@write(
    "POST",
    f"{ONE}/another-officer",
    Ok("The application.", APPLICATION, tag=True),
    body=closed({"why": text(2000)}),
    problems=REFUSED,
)
def ask_for_another_officer(call: Call, reference: str) -> Answer:
    """Ask for another officer.

    Once, and while an officer has the application; say why. That officer cannot open it any more, and the person who
    decides reads what you wrote. The time to decide goes on.
    """
    row, by, case = _case(call, reference)
    form = AnotherOfficer(call.body)
    if not form.is_valid():
        raise of_form(form)
    recusing.ask_for_another(case=case, actor=by.actor, why=form.cleaned_data["why"], now=call.now)
    return whole(call, row)


# -- notes of officers -----------------------------------------------------------------------------------------------


@read("GET", f"{ONE}/notes", Ok("They.", NOTES))
def list_notes(call: Call, reference: str) -> Answer:
    """What officers noted about the application.

    Empty until it is decided. Of a note that is not shown there is the reason (`kept_back`), and no text.
    """
    row, _by, _case_of_row = _case(call, reference)
    return Answer(
        {
            "notes": [
                {"at": stamp(each.at), "text": each.text, "kept_back": each.kept_back}
                for each in notes.notes_for_holder(row)
            ]
        }
    )


# -- the decision ----------------------------------------------------------------------------------------------------


def _span(found: Allowance) -> Json:
    return {"length": found.length, "unit": str(found.unit)}


def _appeal(until: dt.datetime | None, forum: Forum | None) -> Json:
    """`until` null: its time has not begun, because the letter with the decision came back."""
    told = None
    if forum is not None:
        told = {
            "title": in_words(forum.title),
            "sits": forum.sits,
            "file_within": _span(forum.file_within),
            "decides_within": _span(forum.decides_within),
            "runs_from": forum.runs_from,
        }
    return {"until": stamp_or_none(until), "forum": told}


@read("GET", f"{ONE}/decision", Ok("The decision.", DECISION))
def get_decision(call: Call, reference: str) -> Answer:
    """What was decided, and why.

    404 until it is decided. Of a refusal: the reasons with their law, what you can do, until when to appeal, and
    until when what you wrote and sent can be read here (`readable_until`).
    """
    row, _by, case = _case(call, reference)
    decision = queries.decision_of(case)
    if decision is None:
        raise not_found()
    policy, refusal = case_clock.policy_of(row), queries.refusal_of(row)
    decision.case = case
    codes = [code for code in [*decision.codes, *decision.provisional_codes] if code in policy.reasons]
    return Answer(
        {
            "outcome": str(decision.outcome),
            "at": stamp(decision.at),
            "by_rule": decision.decided_by.startswith("rule:"),
            "policy": decision.rule_version,
            "text": decision.text,
            "registration": decision.registration.reference if decision.registration is not None else None,
            "provisional_until": stamp_or_none(decision.provisional_until if decision.confirmed_at is None else None),
            "reasons": [_reason(remedies.reason_with_law(policy, code)) for code in codes],
            "appeal": _appeal(appeals.appeal_until(decision), refusal.forum) if refusal is not None else None,
            "readable_until": stamp_or_none(due.readable_until(row)),
        }
    )
