"""What officers and applicants wrote to each other, when the file's time of keeping is over."""

from rahdari.apply.models import Application
from rahdari.archive.actions import Box

from .models import Case, CaseQuestion, Decision, Hearing, Notice, Recusal, Revocation
from .note_models import Note
from .reviewer_models import Reviewer


def erase_words(*, application: Application, box: Box) -> None:
    """The texts of questions, answers, notices, notes and decisions. Who decided what, when, by which codes, and to
    which registration it led, stays. The application is marked as erased before, or the database refuses."""
    box.take(Case.objects.filter(application=application))
    for rows in (
        CaseQuestion.objects,
        Notice.objects,
        Decision.objects,
        Revocation.objects,
        Recusal.objects,
        Note.objects,
        Hearing.objects,
        Reviewer.objects,
    ):
        box.take(rows.filter(case__application=application))
    Case.objects.filter(application=application).update(words=[])
    for question in CaseQuestion.objects.filter(case__application=application):
        question.text, question.answer, question.draft = "", "", ""
        question.save(update_fields=["text", "answer", "draft"])
    for notice in Notice.objects.filter(case__application=application):
        notice.text, notice.answer, notice.draft, notice.withdrawn_why, notice.evidence = "", "", "", "", ""
        notice.order_named = ""
        notice.save(update_fields=["text", "answer", "draft", "withdrawn_why", "evidence", "order_named"])
    for hearing in Hearing.objects.filter(case__application=application):
        hearing.place, hearing.attended, hearing.minutes = "", "", ""
        hearing.save(update_fields=["place", "attended", "minutes"])
    for decision in Decision.objects.filter(case__application=application):
        decision.text = ""
        decision.save(update_fields=["text"])
    for taken in Revocation.objects.filter(case__application=application):
        taken.text, taken.restored_why = "", ""
        taken.save(update_fields=["text", "restored_why"])
    for recusal in Recusal.objects.filter(case__application=application):
        recusal.why = ""
        recusal.save(update_fields=["why"])
    for reviewer in Reviewer.objects.filter(case__application=application):
        reviewer.who = ""
        reviewer.save(update_fields=["who"])
    for note in Note.objects.filter(case__application=application):
        note.text = ""
        note.save(update_fields=["text"])
