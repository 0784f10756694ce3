"""Attesting, revoking, lists, requests and matters, through the database."""

import datetime as dt
import threading
import uuid
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone

from rahdari.attest import attestations, disputing, lists, queries, requests, rules
from rahdari.attest.models import Attestation, AttestationReview, MemberList, MembershipInquiry
from rahdari.attest.rules import Answer, Bounds, Effect, Identifier, Reply, ReviewKind, ReviewOutcome, RowTrouble, Tie
from rahdari.db.references import reference
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.people.quoting import LeadsAway
from tests.builders.attestations import ASSOCIATION, OTHER, YEAR, a_member, a_secretary, an_attestation

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
BOUNDS = Bounds(NOW.date(), NOW.date() + 2 * YEAR)


def attest(
    member: rules.Member, claim: str = "freelancer", association: str = ASSOCIATION
) -> tuple[Attestation, Effect]:
    facts = {"association": association, "claim": claim, "method": "papers", "by": "person:test", "now": NOW}
    return attestations.attest(member=member, **facts)


@pytest.mark.django_db(transaction=True)
def test_a_revocation_is_not_undone_by_what_another_tab_was_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is being sent that names the member, with another end; meanwhile the member is revoked."""
    member = a_member(now=NOW)
    found, _ = attest(member)
    put = attestations.put
    tabs: list[threading.Thread] = []

    def revoke() -> None:
        try:
            attestations.revoke(attestation=found, revocation="left", explanation="", by="person:test", now=NOW + HOUR)
        finally:
            connections.close_all()

    def put_while_revoking(**given: Any) -> Attestation:
        row = put(**given)
        tabs.append(threading.Thread(target=revoke))
        tabs[0].start()
        with connection.cursor() as cursor:
            waits = 0
            while tabs[0].is_alive() and not waits:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                waits = cursor.fetchone()[0]
        return row

    monkeypatch.setattr(attestations, "put", put_while_revoking)
    attest(replace(member, valid_until=NOW.date() + 2 * YEAR))
    tabs[0].join()
    found.refresh_from_db()
    assert found.revoked_at == NOW + HOUR and found.to_follow


class TestOneMember:
    def test_is_found_again_by_what_identifies_them_and_that_is_not_kept(self) -> None:
        member = a_member(now=NOW, identifier=Identifier("card", "3520212345671"), name="Sample Freelancer 7")
        found, effect = attest(member)
        assert effect is Effect.NEW
        index = queries.index_of(Identifier("card", "3520212345671"))
        assert [each.number for each in queries.candidates(association=ASSOCIATION, indexes=[index])] == [found.number]
        with connection.cursor() as cursor:
            cursor.execute("SELECT attest_attestation::text FROM attest_attestation")
            stored = str(cursor.fetchall())
        for secret in ("3520212345671", "Sample Freelancer 7", member.number):
            assert secret not in stored, "plain in the database"

    def test_the_same_again_changes_nothing_and_leaves_no_record(self) -> None:
        member = a_member(now=NOW)
        first, _ = attest(member)
        rows = Row.objects.count()
        second, effect = attest(member)
        assert (second.pk, effect) == (first.pk, Effect.SAME)
        assert Attestation.objects.count() == 1 and Row.objects.count() == rows

    def test_another_end_renews_it(self) -> None:
        member = a_member(now=NOW)
        first, _ = attest(member)
        later = rules.Member(member.number, member.name, member.identifier, member.valid_from, NOW.date() + 2 * YEAR)
        second, effect = attest(later)
        assert (second.pk, effect, second.valid_until) == (first.pk, Effect.RENEWED, NOW.date() + 2 * YEAR)

    def test_of_a_number_that_is_anothers_is_refused(self) -> None:
        member = a_member(now=NOW)
        attest(member)
        with pytest.raises(attestations.MemberNotTaken) as refused:
            attest(a_member(now=NOW, number=member.number.lower()))
        assert refused.value.trouble is RowTrouble.NUMBER_TAKEN

    def test_is_each_associations_own(self) -> None:
        member = a_member(now=NOW)
        ours, theirs = attest(member)[0], attest(member, association=OTHER)[0]
        assert ours.pk != theirs.pk and ours.member_index != theirs.member_index
        with pytest.raises(queries.NotFound):
            queries.attestation_for_association(association=OTHER, number=ours.number)
        assert queries.attestation_for_association(association=ASSOCIATION, number=ours.number.lower()) == ours

    def test_stands_once_in_the_database_whatever_the_code_does(self) -> None:
        found = an_attestation(now=NOW)
        copy = Attestation.objects.get(pk=found.pk)
        copy.pk, copy.number = None, reference("V")
        with pytest.raises(IntegrityError), transaction.atomic():
            Attestation.objects.bulk_create([copy])


class TestRevoking:
    def test_has_a_reason_and_ends_it_at_once(self) -> None:
        found = an_attestation(now=NOW)
        assert found.is_live(NOW.date())
        found = attestations.revoke(
            attestation=found, revocation="left", explanation="You left.", by="person:test", now=NOW
        )
        assert not found.is_live(NOW.date()) and found.to_follow
        assert queries.candidates(association=ASSOCIATION, indexes=[found.identifier_index]) == []
        with pytest.raises(attestations.NotRevocable):
            attestations.revoke(attestation=found, revocation="left", explanation="", by="person:test", now=NOW)

    def test_sends_its_member_nowhere(self) -> None:
        found = an_attestation(now=NOW)
        with pytest.raises(LeadsAway):
            attestations.revoke(
                attestation=found, revocation="left", explanation="See www.rahdari.example", by="person:test", now=NOW
            )

    def test_can_be_undone_within_a_day_and_not_later(self) -> None:
        found = an_attestation(now=NOW)
        facts = {"revocation": "mistake", "explanation": "A slip.", "by": "person:test"}
        attestations.revoke(attestation=found, now=NOW, **facts)
        assert attestations.give_back(attestation=found, by="person:test", now=NOW + 24 * HOUR).is_live(NOW.date())
        attestations.revoke(attestation=found, now=NOW + DAY, **facts)
        with pytest.raises(attestations.NotRevocable):
            attestations.give_back(attestation=found, by="person:test", now=NOW + 2 * DAY + HOUR)

    def test_lets_the_member_be_attested_anew_and_then_stays(self) -> None:
        member = a_member(now=NOW)
        first, _ = attest(member)
        attestations.revoke(attestation=first, revocation="left", explanation="", by="person:test", now=NOW)
        second, effect = attest(member)
        assert effect is Effect.NEW and second.pk != first.pk
        with pytest.raises(attestations.NotRevocable):
            attestations.give_back(attestation=first, by="person:test", now=NOW)


LIST = """member_number,name,identifier,valid_until
M-1001,Sample Freelancer 1,one@client.example,2027-06-30
M-1002,Sample Freelancer 2,35202-1234567-1,2027-06-30
M-1003,,three@client.example,2027-06-30
M-1004,Sample Freelancer 4,four,2027-06-30
"""


def keep(content: str = LIST, association: str = ASSOCIATION) -> MemberList:
    return lists.keep_list(
        association=association,
        claim="freelancer",
        method="register",
        content=content.encode(),
        name="members.csv",
        most_rows=5000,
        by="person:test",
        now=NOW,
    )


def send(kept: MemberList) -> MemberList:
    return lists.send_list(kept=kept, bounds=BOUNDS, by="person:test", now=NOW)


class TestAList:
    def test_is_looked_at_before_anything_counts(self) -> None:
        kept = keep()
        judged = lists.judged(kept, bounds=BOUNDS)
        assert [(each.row.line, each.effect, each.trouble) for each in judged] == [
            (2, Effect.NEW, None),
            (3, Effect.NEW, None),
            (4, None, RowTrouble.NO_NAME),
            (5, None, RowTrouble.IDENTIFIER_SHAPE),
        ]
        assert not Attestation.objects.exists()

    def test_sent_attests_the_good_rows_and_gives_the_others_back_to_be_mended(self) -> None:
        kept = send(keep())
        assert (kept.made, kept.renewed) == (2, 0)
        text = lists.corrected(kept, bounds=BOUNDS, words=lambda _row: "mend this")
        back = text.splitlines()
        assert back[0] == "member_number,name,identifier,valid_from,valid_until,what_is_wrong"
        assert back[1] == "M-1003,,three@client.example,,2027-06-30,mend this"
        mended = text.replace("M-1003,,", "M-1003,Sample Freelancer 3,").replace(",four,", ",four@client.example,")
        again = send(keep(mended))
        assert (again.made, Attestation.objects.count()) == (2, 4)

    def test_sent_twice_counts_once_and_uploaded_again_changes_nothing(self) -> None:
        kept = keep()
        send(kept)
        assert send(kept).made == 2
        rows = list(Attestation.objects.order_by("pk").values_list("pk", "number", "valid_until"))
        again = send(keep())
        assert (again.made, again.renewed) == (0, 0)
        assert list(Attestation.objects.order_by("pk").values_list("pk", "number", "valid_until")) == rows

    def test_with_later_days_renews(self) -> None:
        send(keep())
        again = send(keep(LIST.replace("2027-06-30", "2028-06-30")))
        assert (again.made, again.renewed) == (0, 2)
        assert set(Attestation.objects.values_list("valid_until", flat=True)) == {dt.date(2028, 6, 30)}

    def test_of_another_association_does_not_collide(self) -> None:
        send(keep())
        assert send(keep(association=OTHER)).made == 2
        with pytest.raises(queries.NotFound):
            queries.list_for_association(association=OTHER, id=MemberList.objects.filter(association=ASSOCIATION)[0].pk)

    def test_that_cannot_be_read_is_not_kept(self) -> None:
        for content in ("", "name\nx\n", LIST + "\0"):
            with pytest.raises(lists.ListNotTaken):
                keep(content)
        with pytest.raises(lists.ListNotTaken):
            lists.keep_list(
                association=ASSOCIATION,
                claim="freelancer",
                method="register",
                content=LIST.encode(),
                name="x",
                most_rows=3,
                by="person:test",
                now=NOW,
            )
        assert not MemberList.objects.exists()

    def test_is_deleted_after_some_days(self) -> None:
        sent, _unsent = send(keep()), keep()
        assert lists.delete_old_lists(now=NOW + 6 * DAY) == 0
        assert lists.delete_old_lists(now=NOW + 8 * DAY) == 2
        sent.refresh_from_db()
        assert sent.content == "" and sent.made == 2
        assert lists.delete_old_lists(now=NOW + 8 * DAY) == 0


def ask(association: str = ASSOCIATION, subject: str = "check:sample", **more: object) -> MembershipInquiry:
    facts: dict[str, object] = {
        "service": "vpn_freelancer",
        "name": "Sample Freelancer 31",
        "member_number": "M-00731",
        "known_by": [Identifier("card", "3520212345671"), Identifier("email", "member@client.example")],
        "due_at": NOW + 10 * DAY,
        "now": NOW,
    }
    return requests.ask(association=association, subject=subject, **facts | more)  # type: ignore[arg-type]


class TestARequest:
    def test_is_made_once_and_the_associations_people_have_one_letter_a_day_that_names_nobody(self) -> None:
        secretary = a_secretary()
        a_secretary(OTHER)
        assert ask().pk == ask().pk
        ask(subject="check:another", member_number="M-00732")
        letter = Letter.objects.get(template="association_asked")
        assert letter.to == secretary
        assert "Sample Freelancer" not in letter.text and "M-0073" not in letter.text
        ask(subject="check:third", member_number="M-00733", now=NOW + DAY)
        assert Letter.objects.filter(template="association_asked").count() == 2

    def test_is_answered_by_attesting_whoever_asks(self) -> None:
        request = ask()
        facts = {"claim": "freelancer", "method": "papers", "by": "person:test", "now": NOW}
        found = requests.attest_applicant(request=request, valid_until=NOW.date() + YEAR, **facts)
        request.refresh_from_db()
        assert (request.state, request.attestation) == (Answer.ATTESTED, found)
        assert found.identifier_index == queries.index_of(Identifier("card", "3520212345671"))
        assert (found.name, found.member_number) == ("Sample Freelancer 31", "M-00731")

    def test_under_anothers_member_number_is_not_attested(self) -> None:
        an_attestation(now=NOW, number="M-00731")
        with pytest.raises(attestations.MemberNotTaken):
            requests.attest_applicant(
                request=ask(),
                claim="freelancer",
                method="papers",
                valid_until=NOW.date() + YEAR,
                by="person:x",
                now=NOW,
            )

    def test_that_was_answered_in_another_window_attests_nobody(self) -> None:
        request = ask()
        requests.answer_request(
            request=MembershipInquiry.objects.get(), answer=Answer.NOT_MEMBER, by="person:test", now=NOW
        )
        with pytest.raises(NoLongerOpen):
            requests.attest_applicant(
                request=request,
                claim="freelancer",
                method="papers",
                valid_until=NOW.date() + YEAR,
                by="person:x",
                now=NOW,
            )
        assert not Attestation.objects.exists()

    def test_takes_the_first_answer_only(self) -> None:
        request = ask()
        requests.answer_request(request=request, answer=Answer.NOT_MEMBER, by="person:test", now=NOW)
        requests.answer_request(request=request, answer=Answer.ATTESTED, by="person:other", now=NOW)
        request.refresh_from_db()
        assert request.state == Answer.NOT_MEMBER

    def test_ends_in_silence_at_its_time_and_its_name_goes_later(self) -> None:
        request = ask()
        assert queries.ASSOCIATION.expire(now=NOW + 9 * DAY) == 0
        assert queries.ASSOCIATION.expire(now=NOW + 10 * DAY) == 1
        assert queries.ASSOCIATION.erasing()(now=NOW + 39 * DAY) == 0
        assert queries.ASSOCIATION.erasing()(now=NOW + 40 * DAY) == 1
        request.refresh_from_db()
        assert (request.name, request.member_number, request.state) == ("", "", "silent")

    def test_is_looked_at_again_when_a_list_names_the_member(self) -> None:
        request = ask()
        send(keep(LIST))
        request.refresh_from_db()
        assert request.match_again, "the list has the card number of whoever asks"


def a_dispute(**more: object) -> AttestationReview:
    found = more.pop("attestation", None) or an_attestation(now=NOW)
    facts: dict[str, object] = {"subject": "", "holder": uuid.UUID(int=1), "person": "person:sample", "now": NOW}
    facts |= {"objection": "I never joined.", "reply_due_at": NOW + 5 * DAY}
    return disputing.dispute(attestation=found, **facts | more)  # type: ignore[arg-type]


class TestADispute:
    def test_waits_for_the_association_and_then_for_an_officer(self) -> None:
        matter = a_dispute()
        assert matter.kind == ReviewKind.DISPUTED
        assert matter.awaits_association(NOW) and not matter.awaits_officer(NOW)
        assert matter.awaits_officer(NOW + 5 * DAY), "also when the association says nothing"
        with pytest.raises(disputing.NotPossibleNow):
            disputing.decide(matter=matter, outcome=ReviewOutcome.STANDS, text="x", officer="officer:x", now=NOW)
        with pytest.raises(disputing.NothingToDispute):
            a_dispute(attestation=matter.attestation)

    def test_is_counted_on_every_page_without_being_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for number in range(4):
            matter = a_dispute(attestation=attest(a_member(now=NOW))[0], reply_due_at=NOW + (3 + number) * DAY)
        disputing.reply(matter=matter, reply=Reply.KEEPS, text="A member.", by="person:test", now=NOW)
        moments = [NOW, NOW + 3 * DAY, NOW + 5 * DAY, NOW + 9 * DAY]
        for now in moments:
            waits = {each for each in queries.open_matters() if each.awaits_association(now)}
            assert set(queries.disputes_waiting(ASSOCIATION, now)) == waits
        waiting = [sum(each.awaits_officer(now) for each in queries.open_matters()) for now in moments]
        monkeypatch.setattr(AttestationReview, "from_db", None)
        assert [queries.undecided_matters(now).count() for now in moments] == waiting == [1, 2, 4, 4]
        assert [queries.waiting_count(ASSOCIATION, now) for now in moments] == [3, 2, 0, 0]

    def test_that_the_association_yields_to_is_put_right_at_once(self) -> None:
        matter = a_dispute()
        matter = disputing.reply(matter=matter, reply=Reply.YIELDS, text="A mix-up.", by="person:test", now=NOW)
        matter.attestation.refresh_from_db()
        assert matter.attestation.revocation == "disputed"
        assert matter.awaits_officer(NOW)
        with pytest.raises(disputing.NotPossibleNow):
            disputing.reply(matter=matter, reply=Reply.KEEPS, text="No.", by="person:test", now=NOW)

    def test_that_an_officer_upholds_ends_the_attestation(self) -> None:
        matter = disputing.reply(matter=a_dispute(), reply=Reply.KEEPS, text="No.", by="person:test", now=NOW)
        facts = {"text": "The card is another person's.", "officer": "officer:x", "now": NOW}
        disputing.decide(matter=matter, outcome=ReviewOutcome.MEMBER_RIGHT, **facts)
        assert not Attestation.objects.get().is_live(NOW.date())
        with pytest.raises(disputing.NotPossibleNow):
            disputing.decide(matter=matter, outcome=ReviewOutcome.STANDS, **facts)

    def test_of_a_revocation_that_was_wrong_gives_the_attestation_back(self) -> None:
        found = an_attestation(now=NOW)
        found = attestations.revoke(attestation=found, revocation="left", explanation="", by="person:test", now=NOW)
        matter = a_dispute(attestation=found)
        assert matter.kind == ReviewKind.REVOKED
        late = NOW + 10 * DAY
        facts = {"text": "The receipt shows it.", "officer": "officer:x", "now": late}
        disputing.decide(matter=matter, outcome=ReviewOutcome.MEMBER_RIGHT, **facts)
        assert Attestation.objects.get().is_live(late.date())

    def test_asks_for_no_other_proof_where_no_application_rests_on_it(self) -> None:
        found = an_attestation(now=NOW)
        attestations.revoke(attestation=found, revocation="left", explanation="", by="person:test", now=NOW)
        matter = a_dispute(attestation=Attestation.objects.get())
        with pytest.raises(ValueError, match="another_proof"):
            disputing.decide(
                matter=matter, outcome=ReviewOutcome.ANOTHER_PROOF, text="x", officer="officer:x", now=NOW + 10 * DAY
            )


class TestAMember:
    def test_sees_what_was_said_of_their_address_and_nothing_else(self) -> None:
        now = timezone.now()
        mine = people.register_person(email="member@client.example", now=now)
        other = people.register_person(email="other@client.example", now=now)
        found = an_attestation(identifier=Identifier("email", "member@client.example"))
        assert list(queries.theirs(mine)) == [found]
        assert list(queries.theirs(other)) == []
        with pytest.raises(queries.NotFound):
            queries.attestation_for_member(user=other, number=found.number)

    def test_sees_what_counted_for_an_application_of_theirs(self) -> None:
        user = people.register_person(email="member@client.example", now=timezone.now())
        found = an_attestation(identifier=Identifier("card", "3520212345671"))
        assert not queries.theirs(user).exists()
        assert queries.counted_for(user, found) == ("", user.holder_ref)
        count(found, user.holder_ref, user)
        assert queries.attestation_for_member(user=user, number=found.number) == found
        assert queries.counted_for(user, found) == ("application:x", user.holder_ref)

    def test_of_an_organisation_is_whoever_sees_its_papers_as_long_as_they_do(self) -> None:
        now = timezone.now()
        owner, manager, technician = (
            people.register_person(email=f"{each}@house.example", now=now)
            for each in ("owner", "manager", "technician")
        )
        house = people.register_organisation(
            owner=owner, name="Sample House", company_number="0000482", actor="system:test", now=now
        )
        for user, role in ((manager, "manager"), (technician, "technician")):
            people.add_member(organisation=house, user=user, role=role, actor="system:test", now=now)
        found = an_attestation(identifier=Identifier("company", "0000482"))
        count(found, house.holder_ref, manager)
        assert list(queries.theirs(owner)) == list(queries.theirs(manager)) == [found]
        assert list(queries.theirs(technician)) == []
        subject, holder = queries.counted_for(manager, found)
        assert (subject, holder) == ("application:x", house.holder_ref)
        a_dispute(attestation=found, subject=subject, holder=holder, person=f"person:{manager.pk}")
        assert queries.matters_of(owner, found).count() == 1
        with pytest.raises(disputing.NothingToDispute):
            a_dispute(attestation=found, subject=subject, holder=holder, person=f"person:{owner.pk}")
        people.remove_member(organisation=house, user=manager, actor="system:test", now=now)
        # Who applied for it has left it: what was said of it is no business of theirs any more.
        assert list(queries.theirs(manager)) == [] and not queries.matters_of(manager, found).exists()


def count(found: Attestation, holder: uuid.UUID, user: User) -> None:
    attestations.note_use(
        attestation=found,
        subject="application:x",
        holder=holder,
        person=f"person:{user.pk}",
        weight="alone",
        tie=Tie.REPRESENTS,
        now=timezone.now(),
    )
