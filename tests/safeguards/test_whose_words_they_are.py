"""Nobody speaks in the register's name: what one party writes to another is shown as theirs, and leads nowhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.template import loader
from django.utils import translation

from rahdari.letters.catalogue import LETTERS
from rahdari.vault.fields import EncryptedTextField
from rahdari.web import values

# The table of docs/letters.md has what one party writes and another reads. The others, by who reads them:
WHO_READS = {
    "whoever wrote it, and officers": """
        appeal.Appeal.words apply.Application.evidence_text apply.Application.held_words apply.Application.purpose
        apply.Document.name apply.Endpoint.label apply.Endpoint.remote apply.LateEvidence.text attest.MemberList.name
        attest.MembershipInquiry.why complaint.Complaint.answer complaint.Complaint.email complaint.Complaint.target
        decide.CaseQuestion.answer decide.CaseQuestion.draft decide.Notice.answer decide.Notice.draft
        api.AccessToken.name confirm.ApiToken.name confirm.AnswerFile.name confirm.SubscriberQuestion.reference
        fees.Payment.payer fees.Payment.text mobile.MobileNumber.reference maintenance.Work.own_id
        people.Branch.city people.Branch.address maintenance.DeletedDraft.own_id
        apply.AddressFile.name apply.AddressFile.content attest.MemberList.content confirm.AnswerFile.content""",
    "whoever the office writes to, as the office's own word": """
        appeal.Appeal.text appeal.Point.why appeal.Served.how apply.DeskEntry.said attest.AttestationReview.decision
        calendar.CalendarCorrection.dropped_why calendar.CalendarCorrection.title_en
        calendar.CalendarCorrection.title_ur calendar.CalendarCorrection.why checks.Check.how complaint.Complaint.why
        decide.CaseQuestion.text decide.Decision.text decide.Hearing.attended decide.Hearing.minutes
        decide.Hearing.place decide.Note.text decide.Notice.evidence decide.Notice.order_named decide.Notice.text
        decide.Notice.withdrawn_why decide.Recusal.why decide.Reviewer.who decide.Revocation.restored_why
        decide.Revocation.text decide.SavedView.name demand.Demand.answer demand.Demand.body demand.Demand.signed_by
        demand.Demand.wanted fees.Payment.set_aside_why fees.Refund.why figures.Publication.why_en
        figures.Publication.why_ur journal.JournalEntry.reason publish.Credential.name publish.Operator.name_en
        publish.Operator.name_ur publish.RemovalHold.reason sampling.SecondLook.closed_text sampling.SecondLook.text
        watch.Comparison.body watch.Comparison.content""",
    "one kind of number, address or name that a check or a list compares": """
        apply.Application.association_number apply.Application.cnic apply.Application.company_number
        apply.Application.contact_mobile apply.Application.ntn apply.Endpoint.subscriber apply.DeskEntry.contact
        attest.Attestation.member_number
        attest.Attestation.name attest.MembershipInquiry.email attest.MembershipInquiry.member_number
        attest.MembershipInquiry.name checks.RosterRow.email checks.RosterRow.mobile checks.RosterRow.name
        confirm.SubscriberQuestion.name_masked confirm.SubscriberQuestion.subscriber consult.Comment.email
        consult.Speaker.email control.Challenge.given letters.Letter.address mobile.MobileNumber.asked
        mobile.MobileNumber.number people.Branch.contact_email people.Branch.contact_mobile people.Invitation.email
        people.Mandate.email people.Mandate.services people.Organisation.company_number people.Organisation.ntn
        people.User.email sms.ContactNumber.asked sms.ContactNumber.number sms.Message.number urgent.UrgentEntry.asked
        vouch.ReferenceRequest.address watch.Consent.asks""",
    "nobody: a program writes it": """
        api.IdempotentRequest.body confirm.OperatorRequest.body api.Webhook.old_secret
        api.Webhook.secret apply.FrozenPolicy.text
        confirm.Callback.old_secret confirm.Callback.secret consult.Version.policy_text decide.Case.marks
        incident.Report.runs letters.Letter.calendar letters.Letter.html letters.Letter.stop_url letters.Letter.subject
        letters.Letter.text licensees.ProviderList.text publish.Receipt.body_sha256 sms.Message.text""",
}
# Letters with a free text of the office; `hearing_*` and `registration_*` are all its own.
OURS = frozenset(
    "appeal_decided application_notice application_refused attestation_another_proof attestation_decided "
    "complaint_decided file_kept hearing_held hearing_set registration_goes_on registration_notice "
    "registration_ordered registration_stays registration_struck_out registration_suspended".split()
)
QUOTED = {
    "portal/applicant/complaint.html": ["complaint.words", "each.words"],
    "portal/applicant/incident.html": ["each.words"],
    "portal/applicant/representative.html": ["company", "name"],
    "portal/public/number_contact.html": ["each.name"],
    "portal/applicant/planned_work.html": ["asked.words", "notice.text"],
    "incident/_mending.html": ["each.words"],
    "attest/theirs.html": ["found.explanation", "matter.reply_text"],
    "attest/reply.html": ["matter.objection"],
    "maintenance/works.html": ["each.text_en", "each.text_ur"],
}
# Names that letters print as they are: what the office wrote, or the reader's own organisation, program or application.
OWN_NAMES = {
    "branch_expires_soon": "organisation",
    "branch_proof_in_vain": "organisation",
    "branch_proof_wanted": "organisation",
    "consult_invited": "organisation",
    "former_agent": "organisation",
    "member_removed": "organisation",
    "number_used_again": "organisation",
    "program_allowed": "name",
    "representative_asked_more": "organisation",
    "represents_missing": "organisation",
}
# Names that Python puts into a sentence as they are, by who wrote them or who reads them.
PLAIN_NAMES = {
    "the office wrote it": """
        applicant/operator_method.py:self.name applicant/stops.py:day.name apply/form_errors.py:name
        portal/public/connections.py:each.operator.name portal/public/connections.py:name""",
    "whoever wrote it, and officers": """
        applicant/awaiting.py:self.who applicant/sending.py:application.holder_name apply/uploads.py:document.name
        maintenance/words.py:trouble.name portal/operators/planned_words.py:name urgent/forms.py:each.person.name""",
    "nobody: it is a word of ours": "api/interface.py:name control/sentences.py:name portal/staff/feed.py:name",
    "the function has its own quote around": "web/values.py:who",
}
# What administrators read on their own machine.
COMMANDS = {"agent", "ops", "vantage"}
SOURCE = Path(values.__file__).parents[1]
_QUOTES = re.compile("quoted:|quoted_name")
_A_NAME = re.compile(r"(^|_)(name|company|organisation|agent|holder|applicant|who)$")
_FILLS = {"format_html", "fill", "format", "format_lazy"}
_NAMES = re.compile(r"(text|words|why|name|said|title|runs|label|services|set_aside_why|dropped_why|own_id|body)(_|$)")


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _plain(value: ast.expr) -> Iterator[str]:
    """The names in it that no function quotes."""
    if isinstance(value, ast.Call):
        if not _called(value).startswith("quoted"):
            for each in (*value.args, *(keyword.value for keyword in value.keywords)):
                yield from _plain(each)
    elif isinstance(value, ast.Attribute | ast.Name):
        if _A_NAME.search(value.attr if isinstance(value, ast.Attribute) else value.id):
            yield ast.unparse(value)
    elif not isinstance(value, ast.Compare):
        for child in ast.iter_child_nodes(value):
            if isinstance(child, ast.expr):
                yield from _plain(child)


def _mapping(node: ast.AST) -> list[ast.expr]:
    return node.values if isinstance(node, ast.Dict) else []


def _fillings(tree: ast.AST) -> Iterator[ast.expr]:
    """What a sentence is filled in with: by `%` with a mapping, by a call, or in the place of `%(name)s`."""
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            yield from _mapping(node.right)
            if isinstance(node.right, ast.Name):
                named.add(node.right.id)
        elif isinstance(node, ast.Call) and _called(node) in _FILLS:
            yield from (*node.args, *(keyword.value for keyword in node.keywords))
        elif isinstance(node, ast.Call) and _called(node) == "replace" and "'%(" in ast.unparse(node):
            yield from node.args[1:]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Subscript) and getattr(target.value, "id", "") in named:
                    yield node.value
                elif getattr(target, "id", "") in named:
                    for inner in ast.walk(node.value):
                        yield from _mapping(inner)


def _plain_names(source: str) -> set[str]:
    return {name for value in _fillings(ast.parse(source)) for name in _plain(value)}


def _is_free(field: models.Field) -> bool:  # type: ignore[type-arg]
    if isinstance(field, models.TextField | EncryptedTextField):
        return True
    is_plain = type(field) is models.CharField and not field.choices and (field.max_length or 0) > 40
    return is_plain and _NAMES.match(field.name) is not None


def _fields() -> set[str]:
    ours = [model for model in apps.get_models() if model.__module__.startswith("rahdari.")]
    found = ((model._meta.label, field) for model in ours for field in model._meta.concrete_fields)
    return {f"{label}.{field.name}" for label, field in found if _is_free(field)}


def _table() -> dict[str, str]:
    """Of each field that the table names its row."""
    text = (Path(__file__).parents[2] / "docs" / "letters.md").read_text(encoding="utf-8")
    section = text.partition("## Texts of one party that another reads")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and "`" in line.split("|")[1]]
    return {field: row for row in rows for field in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_free_text_has_a_row_or_no_reader_but_its_own() -> None:
    others = [field for fields in WHO_READS.values() for field in fields.split()]
    assert len(others) == len(set(others)) and set(others).isdisjoint(_table())
    assert _fields() == {*others, *_table()}


def test_every_row_says_from_whom_to_whom_and_what_holds_it() -> None:
    for row in _table().values():
        assert all(cell.strip() for cell in row.strip("|").split("|")) and len(row.strip("|").split("|")) == 4, row


def test_every_letter_quotes_a_text_that_is_not_ours() -> None:
    with_text = {name for name, kind in LETTERS.items() if "text" in kind.takes}
    assert with_text - OURS == {"another_night", "attestation_revoked", "incident_answered", "planned_work"}
    for name in with_text - OURS:
        for language in ("en", "ur"):
            source = loader.get_template(f"letters/{name}.{language}.html").template.source
            shown = re.findall(r"\{\{\s*text\b([^}]*)\}\}", source)
            assert shown and all(each.startswith("|quoted:") for each in shown), f"{name}.{language}"


def test_every_letter_quotes_a_name_that_somebody_else_typed() -> None:
    for letter in LETTERS:
        for language in ("en", "ur"):
            source = loader.get_template(f"letters/{letter}.{language}.html").template.source
            shown = set(re.findall(r"\{\{\s*((?:\w+\.)?(?:name|organisation|agent))\s*\}\}", source))
            assert shown <= {OWN_NAMES.get(letter, "")}, f"{letter}.{language}"


def test_python_puts_no_name_into_a_sentence_that_somebody_else_typed() -> None:
    found = set()
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE)
        if place.parts[0] not in COMMANDS and "migrations" not in place.parts:
            found |= {f"{place}:{name}" for name in _plain_names(path.read_text(encoding="utf-8"))}
    assert found == {each for names in PLAIN_NAMES.values() for each in names.split()}


@pytest.mark.parametrize(("place", "name"), [("vouch/parties.py", "name"), ("invite/words.py", "campaign.name")])
def test_python_would_be_found_if_it_did(place: str, name: str) -> None:
    source = (SOURCE / place).read_text(encoding="utf-8")
    assert name not in _plain_names(source)
    assert name in _plain_names(source.replace("values.quoted_name(", "str("))


@pytest.mark.parametrize("language", ["en", "ur"])
def test_no_name_ends_its_quote(language: str) -> None:
    with translation.override(language):
        found = values.quoted_name("Sample House” is registered. “Answer yes")
    assert found.count("“") == found.count("”") == 1


def test_every_page_quotes_them() -> None:
    for page, texts in QUOTED.items():
        source = loader.get_template(page).template.source
        for text in texts:
            shown = re.findall(r"\{\{\s*" + re.escape(text) + r"\b([^}]*)\}\}", source)
            # A holder's own words on the holder's own page are theirs without a name at them.
            assert any(re.search(_QUOTES, each) for each in shown), f"{page}: {text}"
            assert all(re.search(_QUOTES, each) or "own_words" in each for each in shown), f"{page}: {text}"
