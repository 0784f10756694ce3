"""Branches of an organisation: added, changed, given up; their addresses; who hears of their lines."""

import datetime as dt
import ipaddress
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import bulk, drafts
from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people import branches, queries
from rahdari.people.models import Branch
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.vault import keys
from rahdari.workflow.branch_letters import notify_branches
from tests.builders import story

from .test_many import signed_in
from .test_roles import PAPERS, SEE, World

pytestmark = pytest.mark.django_db
NORTH = {
    "name": "Branch North",
    "city": "Sample City",
    "contact_name": "Sample Contact",
    "contact_email": "north@sample.example",
    "contact_mobile": "0300 1234567",
}


@pytest.fixture
def world() -> World:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    return World()


def page(world: World) -> str:
    return reverse("portal:branches", args=[world.company.pk])


def one(branch: Branch) -> str:
    return reverse("portal:branch", args=[branch.organisation_id, branch.pk])


def north(world: World) -> Branch:
    world.browser("manager").post(page(world), NORTH)
    return queries.branches_of(world.company).get()


def registered(world: World) -> Registration:
    """The address of the draft, on the register."""
    endpoint = applications.endpoints_of(world.draft).get()
    now = timezone.now()
    return register.enter(
        origin=world.draft.subject,
        holder=world.company.holder_ref,
        category="vpn_company",
        endpoints=[workflow.entering._as_entry(endpoint)],
        valid_from=now,
        valid_until=now + dt.timedelta(days=365),
        actor="system:test",
        now=now,
    )


class TestThePages:
    def test_are_seen_and_changed_by_role(self, world: World) -> None:
        branch = north(world)
        assert (branch.city, branch.contact_mobile) == ("Sample City", "+923001234567")
        assert world.who_reaches(page(world)) == SEE
        assert world.who_reaches(one(branch)) == PAPERS
        for role in ("technician", "viewer", "accountant", "stranger"):
            assert world.browser(role).post(page(world), {"name": "Another"}).status_code == 404
            assert world.browser(role).post(one(branch), {"act": "end"}).status_code == 404
        assert [each.name for each in queries.branches_of(world.company)] == ["Branch North"]
        assert "Add a branch" not in world.browser("viewer").get(page(world)).text

    def test_take_a_name_once(self, world: World) -> None:
        north(world)
        again = world.browser("owner").post(page(world), {"name": "branch north"})
        assert "Another branch has this name" in again.text
        assert queries.branches_of(world.company).count() == 1

    def test_say_how_to_mend_what_is_wrong(self, world: World) -> None:
        bad = {"name": "", "contact_email": "no", "contact_mobile": "042 111"}
        shown = world.browser("owner").post(page(world), bad).text
        for words in ("Enter the name of the branch", "with an @ sign", "This is not a mobile number"):
            assert words in shown

    def test_change_and_give_up(self, world: World) -> None:
        branch = north(world)
        browser = world.browser("owner")
        browser.post(one(branch), NORTH | {"name": "Branch East"})
        branch.refresh_from_db()
        assert branch.name == "Branch East"
        browser.post(one(branch), {"act": "end"})
        branch.refresh_from_db()
        assert branch.ended_at is not None and branch.contact_email == ""
        assert browser.get(one(branch)).status_code == 404
        acts = [row.act for row in journal.about(f"organisation:{world.company.pk}")][:3]
        assert acts == ["people.ended_branch", "people.changed_branch", "people.added_branch"]
        rows = [f"{row.detail}{row.reason}" for row in journal.about(f"organisation:{world.company.pk}")]
        assert not any("sample.example" in row or "North" in row for row in rows)

    def test_are_no_other_organisations(self, world: World) -> None:
        branch, elsewhere = north(world), World(98)
        place = reverse("portal:branch", args=[elsewhere.company.pk, branch.pk])
        assert elsewhere.browser("owner").get(place).status_code == 404


class TestItsAddresses:
    def test_are_placed_and_let_go(self, world: World) -> None:
        branch, registration = north(world), registered(world)
        browser = world.browser("manager")
        subject = applications.endpoints_of(world.draft).get().subject
        assert "Move 1 other address here" in browser.get(one(branch)).text
        browser.post(one(branch), {"act": "take", "address": subject})
        assert "203.0.113.24" in browser.get(one(branch)).text.split("<details")[0]
        assert "1 of 1 branches is registered" in browser.get(page(world)).text
        shown = browser.get(reverse("portal:registration", args=[registration.reference])).text
        assert re.search("203.0.113.24</code><span class=.sub.><bdi[^>]*>Branch North", shown)
        browser.post(one(branch), {"act": "let_go", "address": subject})
        assert Endpoint.objects.get().branch is None

    def test_of_another_organisation_stay_there(self, world: World) -> None:
        branch, elsewhere = north(world), World(98)
        subject = applications.endpoints_of(elsewhere.draft).get().subject
        count = bulk.place_endpoints(
            subjects=[subject], branch=branch, organisation=world.company, actor="person:x", now=timezone.now()
        )
        assert count == 0 and applications.endpoints_of(elsewhere.draft).get().branch is None

    def test_come_with_a_file_which_adds_branches(self, world: World) -> None:
        branch = north(world)
        rows = "address,protocol,branch\n203.0.113.60,wireguard,branch NORTH\n203.0.113.61,wireguard,Branch West\n"
        browser = world.browser("manager")
        place = browser.post(reverse("apply:add_many", args=[world.draft.reference]), {"paste": rows})
        assert "A new branch" in browser.get(place.headers["Location"]).text
        browser.post(place.headers["Location"], {"act": "add"})
        names = [row.branch.name for row in applications.endpoints_of(world.draft) if row.branch is not None]
        assert names == ["Branch North", "Branch West"]
        assert queries.branches_of(world.company).count() == 2 and branch.name == "Branch North"

    def test_come_with_a_file_which_adds_none_whose_name_the_form_refuses(self, world: World) -> None:
        rows = "address,protocol,branch\n203.0.113.61,wireguard,Branch West call 0300 1234567\n"
        browser = world.browser("manager")
        place = browser.post(reverse("apply:add_many", args=[world.draft.reference]), {"paste": rows})
        shown = browser.get(place.headers["Location"]).text
        assert "this text may hold no telephone number" in shown and "A new branch" not in shown
        browser.post(place.headers["Location"], {"act": "add"})
        assert not queries.branches_of(world.company).exists()

    def test_come_with_a_file_which_adds_none_for_who_may_not(self, world: World) -> None:
        """A technician may say which addresses there are, and not which branches."""
        north(world)
        rows = "address,protocol,branch\n203.0.113.60,wireguard,branch NORTH\n203.0.113.61,wireguard,Branch West\n"
        browser = world.browser("technician")
        place = browser.post(reverse("apply:add_many", args=[world.draft.reference]), {"paste": rows})
        shown = browser.get(place.headers["Location"]).text
        assert "There is no branch with this name, and you may not add one." in shown and "A new branch" not in shown
        browser.post(place.headers["Location"], {"act": "add"})
        assert [row.branch.name for row in applications.endpoints_of(world.draft) if row.branch] == ["Branch North"]
        assert queries.branches_of(world.company).count() == 1
        # Nor by another way into the act.
        wanted = [bulk.NewEndpoint(ipaddress.ip_network("203.0.113.62"), "wireguard", branch="Branch West")]
        facts = {"application": world.draft, "actor": "person:x", "now": timezone.now()}
        assert bulk.add_endpoints(wanted=wanted, **facts).endpoints[0].branch is None

    def test_are_so_many_at_most(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("people.rules", "apply.judging"):
            monkeypatch.setattr(f"rahdari.{module}.MOST_BRANCHES", 1)
        north(world)
        browser = world.browser("manager")
        said = "An organisation has 1 branch at most."
        assert said in browser.post(page(world), {"name": "Branch West"}).text
        rows = "address,protocol,branch\n203.0.113.60,wireguard,Branch West\n"
        place = browser.post(reverse("apply:add_many", args=[world.draft.reference]), {"paste": rows})
        assert said in browser.get(place.headers["Location"]).text
        assert queries.branches_of(world.company).count() == 1

    def test_lose_their_branch_with_their_organisation(self, world: World) -> None:
        north(world)
        endpoint = applications.endpoints_of(world.draft).get()
        Endpoint.objects.filter(pk=endpoint.pk).update(branch=queries.branches_of(world.company).get())
        used = drafts.start_application(
            applicant=world.people["owner"], service="vpn_company", actor="person:x", now=timezone.now()
        )
        sent = {"organisation": world.company, "status": "withdrawn", "closed_at": used.created_at}
        Application.objects.filter(pk=used.pk).update(**sent)
        drafts.save_company(
            application=world.draft,
            name="Another House",
            company_number="0000977",
            ntn="",
            actor="person:x",
            now=timezone.now(),
        )
        assert story.fresh(world.draft).organisation != world.company
        assert Endpoint.objects.get(pk=endpoint.pk).branch is None

    def test_before_an_organisation_are_names_of_the_applicants_own(self) -> None:
        user, now = story.a_person(), timezone.now()
        draft = drafts.start_application(applicant=user, service="vpn_company", actor="person:x", now=now)
        browser = signed_in(user)
        rows = "address,protocol,branch\n203.0.113.60,wireguard,Branch North\n"
        place = browser.post(reverse("apply:add_many", args=[draft.reference]), {"paste": rows}).headers["Location"]
        shown = browser.get(place).text
        assert "branches cannot be added" in shown and "own note on the address" in shown
        assert "1 of 1 rows can be added now" in shown


class TestTheContact:
    def test_hears_of_the_line_of_the_branch(self, world: World) -> None:
        branch = north(world)
        endpoint = applications.endpoints_of(world.draft).get()
        Endpoint.objects.update(branch=branch)
        context = {"address": "203.0.113.24", "registration": "RD-8E7A-15VQ"}
        assert notify_branches([endpoint.subject] * 2, "branch_proof_in_vain", context, now=timezone.now()) == 1
        letter = Letter.objects.get(template="branch_proof_in_vain")
        assert letter.address == "north@sample.example"
        assert "Branch North" in letter.text and "203.0.113.24" in letter.text
        branches.end_branch(branch=branch, actor="person:x", now=timezone.now())
        assert notify_branches([endpoint.subject], "branch_proof_in_vain", context, now=timezone.now()) == 0

    def test_is_reminded_with_the_organisation(self, world: World) -> None:
        Endpoint.objects.update(branch=north(world))
        registration = registered(world)
        story.advance()
        soon = registration.valid_until - (registration.valid_until - timezone.now()) / 365 * 30
        workflow.reminding.remind(soon)
        workflow.reminding.remind(soon)
        told = [letter.address for letter in Letter.objects.filter(template="branch_expires_soon")]
        assert told == ["north@sample.example"]
