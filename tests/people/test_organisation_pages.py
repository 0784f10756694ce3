import datetime as dt
import re
import threading
import uuid
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people import actions, queries
from rahdari.people.models import INVITATION_VALID, Invitation, Membership, Organisation, User
from rahdari.register.models import Registration
from tests import urdu
from tests.builders.people import a_person, sign_in

pytestmark = pytest.mark.django_db
OWNER, MEMBER = Membership.Role.OWNER, Membership.Role.VIEWER
LIST = "/account/organisations/"


def browser_of(user: User, language: str = "en") -> Client:
    browser = Client()
    browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
    browser.force_login(user)
    return browser


def a_company(owner: User, name: str = "Sample Software House (Pvt) Ltd") -> Organisation:
    return actions.register_organisation(
        owner=owner, name=name, company_number="0000482", ntn="0000482", actor=str(owner), now=timezone.now()
    )


def register_once(company: Organisation) -> None:
    Registration.objects.create(
        reference="RD-0000-000X",
        holder=company.holder_ref,
        category="vpn_company",
        origin="application:1",
        valid_from=timezone.now(),
        valid_until=timezone.now() + dt.timedelta(days=365),
        created_at=timezone.now(),
    )


def invite(company: Organisation, email: str, role: str = MEMBER, now: dt.datetime | None = None) -> Invitation:
    now = now or timezone.now()
    return actions.invite_member(organisation=company, email=email, role=role, actor="person:x", now=now)


def join(company: Organisation, user: User, role: str = MEMBER) -> Membership:
    invitation = invite(company, user.email, role)
    return actions.accept_invitation(user=user, id=invitation.pk, actor=str(user), now=timezone.now())


def page_of(company: Organisation) -> str:
    return reverse("people:organisation", args=[company.pk])


def acts_on(company: Organisation) -> list[tuple[str, str]]:
    """What the journal has about the company, the newest first."""
    return [(row.act, row.actor) for row in journal.about(f"organisation:{company.pk}")]


def roles(company: Organisation) -> dict[User, str]:
    return {member.user: member.role for member in queries.members_of(company)}


@pytest.fixture
def owner() -> User:
    return a_person("owner")


@pytest.fixture
def company(owner: User) -> Organisation:
    return a_company(owner)


class TestInviteMember:
    def test_says_the_same_whether_somebody_has_the_address_or_not(self, owner: User, company: Organisation) -> None:
        a_person("known")
        says = []
        for name in ("known", "other"):
            browser = browser_of(owner)
            answer = browser.post(page_of(company), {"email": f"{name}@sample.example", "role": MEMBER}, follow=True)
            invitation = Invitation.objects.get()
            page = answer.content.decode().replace(f"{name}@", "@").replace(f"ions/{invitation.pk}/", "-")
            says.append(re.sub(r'(csrfmiddlewaretoken" value=)"[^"]*"', r"\1", page))
            assert f"{name}@sample.example" in answer.content.decode()
            invitation.delete()
        assert says[0] == says[1]
        assert "The invitation has been sent" in says[0]

    def test_makes_nobody_an_account_and_nobody_a_member(self, owner: User, company: Organisation) -> None:
        known = a_person("known")
        for email in ("new@sample.example", known.email):
            browser_of(owner).post(page_of(company), {"email": email, "role": OWNER})
        assert User.objects.count() == 2
        assert roles(company) == {owner: OWNER}
        assert queries.people_to_notify(company.holder_ref) == [owner]
        assert company.holder_ref not in queries.holders_of(known)
        assert not queries.organisations_of(known).exists()

    def test_reaches_five_strangers_a_day_before_the_first_registration(
        self, owner: User, company: Organisation
    ) -> None:
        """Anybody makes an organisation of any name, and our letters carry it."""
        browser = browser_of(owner)
        for number in range(5):
            assert (
                browser.post(page_of(company), {"email": f"{number}@sample.example", "role": MEMBER}).status_code == 302
            )
        another = a_company(owner, "Another Sample House")
        for place in (company, another):
            refused = browser.post(page_of(place), {"email": "6@sample.example", "role": MEMBER}).text
            assert "can send 5 invitations a day" in refused and 'value="6@sample.example"' in refused
        register_once(company)
        assert browser.post(page_of(company), {"email": "6@sample.example", "role": MEMBER}).status_code == 302

    def test_is_journaled_without_the_address(self, owner: User, company: Organisation) -> None:
        browser_of(owner).post(page_of(company), {"email": "new@sample.example", "role": MEMBER})
        (row, _registered) = journal.about(f"organisation:{company.pk}")
        assert (row.act, row.actor) == ("people.invited_member", str(owner))
        assert "sample.example" not in f"{row.reason}{row.detail}"

    def test_twice_begins_the_time_anew(self, company: Organisation) -> None:
        now = timezone.now()
        invite(company, "New@Sample.example", MEMBER, now - dt.timedelta(days=3))
        again = invite(company, "new@sample.example", OWNER, now)
        (kept,) = Invitation.objects.all()
        assert (kept.role, kept.invited_at) == (OWNER, again.invited_at)

    def test_keeps_no_address_longer_than_its_time(self, company: Organisation) -> None:
        now = timezone.now()
        invite(company, "old@sample.example", MEMBER, now - INVITATION_VALID)
        assert not queries.invitations_of(company, now).exists()
        invite(company, "new@sample.example", MEMBER, now)
        assert Invitation.objects.get().email == "new@sample.example"

    def test_finds_a_member_there_already(self, owner: User, company: Organisation) -> None:
        answer = browser_of(owner).post(page_of(company), {"email": owner.email.upper(), "role": MEMBER})
        assert "The owner of this email address is already a member" in answer.content.decode()
        assert not Invitation.objects.exists()

    @pytest.mark.parametrize(
        "data", [{}, {"email": "no", "role": MEMBER}, {"email": "a@sample.example", "role": "officer"}]
    )
    def test_takes_nothing_else(self, owner: User, company: Organisation, data: dict[str, str]) -> None:
        assert browser_of(owner).post(page_of(company), data).status_code == 200
        assert not Invitation.objects.exists()

    def test_is_limited(self, owner: User, company: Organisation) -> None:
        register_once(company)
        browser = browser_of(owner)
        for number in range(31):
            answer = browser.post(page_of(company), {"email": f"p{number}@sample.example", "role": MEMBER})
        assert "Too many invitations" in answer.content.decode()
        assert Invitation.objects.count() == 30


class TestTheLetter:
    def letters(self) -> list[Letter]:
        return list(Letter.objects.filter(template="organisation_invitation").order_by("written_at", "id"))

    def test_names_the_organisation_and_leads_to_the_answer(self, owner: User, company: Organisation) -> None:
        browser_of(owner).post(page_of(company), {"email": "new@sample.example", "role": "technician"})
        [letter] = self.letters()
        assert letter.address == "new@sample.example" and company.name in letter.text
        # Anybody makes an organisation of any name: who invites, and that nobody has looked at it, is said.
        assert owner.email in letter.text and "has not shown that they act for it" in " ".join(letter.text.split())
        link = re.search(r"https?://[^/\s]+(/account/invitations/\S+)", letter.text)
        assert link is not None
        stranger = Client(headers={"accept-language": "en"})
        assert stranger.get(link[1]).headers["Location"].startswith("/sign-in/")
        sign_in(stranger, "new@sample.example")
        assert "Proves addresses and changes them. Sees no papers." in stranger.get(link[1], follow=True).text
        assert "Technician" in stranger.get(LIST).text

    def test_is_for_nobody_else(self, company: Organisation) -> None:
        invitation = invite(company, "new@sample.example")
        browser = browser_of(a_person("other"))
        page = browser.get(queries.invitation_path(invitation), follow=True).text
        assert "it is for another email address" in page and company.name not in page
        forged = reverse("people:invitation", args=[invitation.pk, "a" * 26])
        assert browser.get(forged).status_code == 404

    def test_is_written_once_a_day_at_most(self, company: Organisation) -> None:
        now = timezone.now()
        for hours in (0, 1, 23, 48):
            invite(company, "new@sample.example", MEMBER, now + dt.timedelta(hours=hours))
        assert len(self.letters()) == 2


class TestAcceptInvitation:
    def test_makes_who_signs_in_with_the_address_a_member(self, owner: User, company: Organisation) -> None:
        invite(company, "new@sample.example", OWNER)
        browser = Client(headers={"accept-language": "en"})
        sign_in(browser, "new@sample.example")
        assert "An organisation invites you" in browser.get("/account/").content.decode()
        place = reverse("people:answer_invitation", args=[Invitation.objects.get().pk])
        assert place in browser.get(LIST).content.decode()
        assert browser.post(place, {"answer": "yes"}).headers["Location"] == page_of(company)
        new = User.objects.get(email="new@sample.example")
        assert roles(company) == {owner: OWNER, new: OWNER}
        assert acts_on(company)[0] == ("people.added_member", str(new))
        assert browser.post(place, {"answer": "yes"}).status_code == 404
        assert "An organisation invites you" not in browser.get("/account/").content.decode()

    def test_finds_none_of_another_too_old_or_absent(self, owner: User, company: Organisation) -> None:
        stranger, late = a_person("stranger"), a_person("late")
        other = invite(company, "other@sample.example")
        old = invite(company, late.email, MEMBER, timezone.now() - INVITATION_VALID)
        for user, id in ((stranger, other.pk), (owner, other.pk), (late, old.pk), (stranger, 2**62)):
            place = reverse("people:answer_invitation", args=[id])
            for answer in ("yes", "no"):
                assert browser_of(user).post(place, {"answer": answer}).status_code == 404
        assert roles(company) == {owner: OWNER}
        assert Invitation.objects.count() == 2

    def test_needs_an_answer(self, company: Organisation) -> None:
        user = a_person("asked")
        place = reverse("people:answer_invitation", args=[invite(company, user.email).pk])
        assert browser_of(user).post(place).status_code == 404
        assert Invitation.objects.exists()


class TestDeclineInvitation:
    def test_leaves_nothing_but_a_row_in_the_journal(self, owner: User, company: Organisation) -> None:
        user = a_person("asked")
        place = reverse("people:answer_invitation", args=[invite(company, user.email).pk])
        assert browser_of(user).post(place, {"answer": "no"}).headers["Location"] == LIST
        assert not Invitation.objects.exists()
        assert roles(company) == {owner: OWNER}
        assert acts_on(company)[0] == ("people.declined_invitation", str(user))


class TestWithdrawInvitation:
    def test_takes_it_back(self, owner: User, company: Organisation) -> None:
        user = a_person("asked")
        invitation = invite(company, user.email)
        place = reverse("people:withdraw_invitation", args=[company.pk, invitation.pk])
        assert browser_of(owner).post(place).status_code == 302
        assert acts_on(company)[0] == ("people.withdrew_invitation", str(owner))
        with pytest.raises(queries.InvitationNotFound):
            actions.accept_invitation(user=user, id=invitation.pk, actor=str(user), now=timezone.now())

    def test_reaches_no_other_organisations(self, owner: User, company: Organisation) -> None:
        other = invite(a_company(a_person("elsewhere"), "Sample Fibre"), "a@sample.example")
        place = reverse("people:withdraw_invitation", args=[company.pk, other.pk])
        assert browser_of(owner).post(place).status_code == 404
        assert Invitation.objects.exists()


class TestChangeRole:
    def test_makes_an_owner_and_a_member_again(self, owner: User, company: Organisation) -> None:
        member = join(company, a_person("member"))
        place = reverse("people:role", args=[company.pk, member.pk])
        for role in (OWNER, MEMBER):
            assert browser_of(owner).post(place, {"role": role}).status_code == 302
            assert roles(company)[member.user] == role
            assert acts_on(company)[0] == ("people.changed_role", str(owner))
        before = len(acts_on(company))
        browser_of(owner).post(place, {"role": MEMBER})
        assert len(acts_on(company)) == before

    def test_leaves_the_last_owner(self, owner: User, company: Organisation) -> None:
        own = Membership.objects.get(user=owner)
        place = reverse("people:role", args=[company.pk, own.pk])
        answer = browser_of(owner).post(place, {"role": MEMBER}, follow=True)
        assert "This is the last owner" in answer.content.decode()
        assert browser_of(owner).post(place, {"role": "officer"}).status_code == 404
        assert roles(company) == {owner: OWNER}


class TestRemoveMember:
    def test_ends_what_they_saw(self, owner: User, company: Organisation) -> None:
        member = join(company, a_person("member"))
        assert browser_of(member.user).get(page_of(company)).status_code == 200
        place = reverse("people:remove_member", args=[company.pk, member.pk])
        assert browser_of(owner).post(place).headers["Location"] == page_of(company)
        assert browser_of(member.user).get(page_of(company)).status_code == 404
        assert queries.holders_of(member.user) == [member.user.holder_ref]
        assert acts_on(company)[0] == ("people.removed_member", str(owner))

    def test_is_told_to_who_was_removed_and_not_to_who_left(self, owner: User, company: Organisation) -> None:
        removed, left = join(company, a_person("member")), join(company, a_person("other"))
        for browser, member in ((browser_of(owner), removed), (browser_of(left.user), left)):
            browser.post(reverse("people:remove_member", args=[company.pk, member.pk]))
        letter = Letter.objects.get(template="member_removed")
        assert letter.to == removed.user and company.name in letter.text and owner.email in letter.text
        assert "Your account stays" in letter.text

    def test_is_leaving_for_oneself(self, company: Organisation) -> None:
        member = join(company, a_person("member"))
        place = reverse("people:remove_member", args=[company.pk, member.pk])
        assert browser_of(member.user).post(place).headers["Location"] == LIST
        assert member.user not in roles(company)

    def test_leaves_the_last_owner(self, owner: User, company: Organisation) -> None:
        join(company, a_person("member"))
        own = Membership.objects.get(user=owner)
        place = reverse("people:remove_member", args=[company.pk, own.pk])
        answer = browser_of(owner).post(place, follow=True)
        assert "This is the last owner" in answer.content.decode()
        assert roles(company)[owner] == OWNER

    def test_reaches_no_other_organisations(self, owner: User, company: Organisation) -> None:
        elsewhere = a_company(a_person("elsewhere"), "Sample Fibre")
        other = join(elsewhere, a_person("member"))
        for name in ("people:remove_member", "people:role"):
            place = reverse(name, args=[company.pk, other.pk])
            assert browser_of(owner).post(place, {"role": OWNER}).status_code == 404
        assert roles(elsewhere)[other.user] == MEMBER


@pytest.mark.django_db(transaction=True)
class TestTwoOwners:
    def test_who_leave_at_once_leave_one(self) -> None:
        first, second = a_person("first"), a_person("second")
        company = a_company(first)
        join(company, second, OWNER)
        start, refused = threading.Barrier(2), []

        def run(user: User) -> None:
            start.wait()
            try:
                actions.remove_member(organisation=company, user=user, actor=str(user), now=timezone.now())
            except actions.LastOwner:
                refused.append(user)
            finally:
                connection.close()

        threads = [threading.Thread(target=run, args=[user]) for user in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert roles(company) == {refused[0]: OWNER}


class TestAStranger:
    def test_cannot_tell_whether_it_is_there(self, owner: User, company: Organisation) -> None:
        stranger, now = a_person("stranger"), (2**62)
        member, invitation = Membership.objects.get(user=owner), invite(company, "a@sample.example")
        for name, part, absent in (
            ("people:organisation", [], []),
            ("people:role", [member.pk], [now]),
            ("people:remove_member", [member.pk], [now]),
            ("people:withdraw_invitation", [invitation.pk], [now]),
        ):
            says: list[Any] = []
            for id, rest in ((company.pk, part), (company.pk, absent), (uuid.uuid4(), part)):
                place = reverse(name, args=[id, *rest])
                answer = browser_of(stranger).post(place, {"email": "b@sample.example", "role": OWNER})
                says.append((answer.status_code, answer.content.decode().replace(place, "-").split("<main")[1]))
            assert says[0] == says[1] == says[2]
            assert says[0][0] == 404
        assert browser_of(stranger).get(page_of(company)).status_code == 404
        assert company.name not in browser_of(stranger).get(LIST).content.decode()
        assert roles(company) == {owner: OWNER}


class TestAMember:
    def test_sees_the_list_and_nothing_to_do_but_leave(self, owner: User, company: Organisation) -> None:
        member = join(company, a_person("member"))
        waiting = invite(company, "waiting@sample.example")
        page = browser_of(member.user).get(page_of(company)).content.decode()
        for text in (owner.email, member.user.email, company.name, "0000482", "Owner", "Leave the organisation"):
            assert text in page
        for text in ("waiting@", "Invite", "<select", reverse("people:role", args=[company.pk, member.pk])):
            assert text not in page

        own = Membership.objects.get(user=owner)
        browser, before = browser_of(member.user), roles(company)
        for place in (
            page_of(company),
            reverse("people:role", args=[company.pk, member.pk]),
            reverse("people:role", args=[company.pk, own.pk]),
            reverse("people:remove_member", args=[company.pk, own.pk]),
            reverse("people:withdraw_invitation", args=[company.pk, waiting.pk]),
        ):
            answer = browser.post(place, {"email": "b@sample.example", "role": OWNER})
            assert answer.status_code == 404, place
        assert roles(company) == before
        assert list(Invitation.objects.all()) == [waiting]


class TestPagesInUrdu:
    def test_are_good(self, owner: User, company: Organisation) -> None:
        join(company, a_person("member"))
        join(company, a_person("second"), OWNER)
        asked = a_person("asked")
        for email, role in ((asked.email, OWNER), ("a@sample.example", MEMBER)):
            invite(company, email, role)
        invite(a_company(a_person("elsewhere"), "Sample Fibre"), asked.email)
        for user in (owner, asked, a_person("nobody")):
            browser = browser_of(user, "ur")
            for place in ("/account/", LIST) + ((page_of(company),) if user == owner else ()):
                answer = browser.get(place)
                assert 'lang="ur"' in answer.content.decode()
                assert [str(each) for each in urdu.page_problems(answer.content.decode())] == [], place
        browser = browser_of(owner, "ur")
        own = Membership.objects.get(user=a_person("second"), organisation=company)
        posts = [(page_of(company), {}), (page_of(company), {"email": owner.email, "role": MEMBER})]
        posts += [(page_of(company), {"email": "c@sample.example", "role": MEMBER})]
        posts += [(reverse("people:remove_member", args=[company.pk, own.pk]), {})]
        own = Membership.objects.get(user=owner, organisation=company)
        posts += [(reverse("people:role", args=[company.pk, own.pk]), {"role": MEMBER})]
        for place, data in posts:
            answer = browser.post(place, data, follow=True)
            assert answer.status_code == 200
            assert [str(each) for each in urdu.page_problems(answer.content.decode())] == [], place
