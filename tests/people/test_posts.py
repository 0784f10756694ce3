import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from rahdari.confirm import tokens
from rahdari.confirm.queries import tokens_of
from rahdari.journal import queries as journal
from rahdari.letters.models import Letter
from rahdari.people import actions, queries
from rahdari.people.models import ProposedRole, User
from tests.builders.people import a_person, sign_in, with_post

pytestmark = pytest.mark.django_db


class TestPosts:
    def test_is_open_to_administrators_only(self, client: Client) -> None:
        assert client.get("/posts/").headers["Location"] == "/sign-in/?next=/posts/"
        sign_in(client, "a@sample.example")
        answer = client.get("/posts/")
        assert answer.status_code == 403
        assert "It is for administrators." in answer.text

    def test_of_an_operator_ends_with_the_keys_that_its_holder_made_unless_they_stay(self, client: Client) -> None:
        administrator, now = a_person("administrator"), timezone.now()
        with_post(administrator, "administrator")
        sign_in(client, administrator.email)
        for answer, left in (({"keys": "1"}, 1), ({}, 2)):
            gone = a_person()
            post = actions.appoint(user=gone, role="operator", operator="sample-fibre", actor="system:test", now=now)
            for by in (f"person:{gone.pk}", "person:colleague"):
                tokens.make_token(operator="sample-fibre", name="Ours", sandbox=False, by=by, now=now)
            assert "End also the key of the operator’s system that this person made" in client.get("/posts/").text
            client.post(f"/posts/{post.pk}/end/", answer)
            assert queries.operator_of(gone) is None
            made = tokens_of(operator="sample-fibre", now=timezone.now())
            assert made.count() == left
            made.filter(made_by="person:colleague").update(revoked_at=now)

    def test_gives_and_ends_posts(self, client: Client) -> None:
        administrator, officer = a_person("administrator"), a_person("officer")
        own = with_post(administrator, "administrator")
        sign_in(client, administrator.email)
        refused = client.post("/posts/", {"email": "nobody@sample.example", "role": "officer"})
        assert "Nobody has signed in with this address yet" in refused.text
        assert "Enter the short name" in client.post("/posts/", {"email": officer.email, "role": "operator"}).text
        unknown = {"email": officer.email, "role": "association", "association": "nobody"}
        assert "Enter the short name of an association that the policy names" in client.post("/posts/", unknown).text
        assert queries.association_of(officer) is None
        client.post("/posts/", {"email": officer.email, "role": "accounts", "director": "on"})
        assert queries.keeps_accounts(officer)
        client.post(f"/posts/{queries.posts_of(officer)[0].pk}/end/")
        assert not queries.posts_of(officer)
        client.post(f"/posts/{own.pk}/end/")
        assert queries.is_administrator(administrator)

    def test_are_given_to_nobody_by_themselves_and_told_to_all_who_watch(self, client: Client) -> None:
        administrator, supervisor, officer = a_person("administrator"), a_person("supervisor"), a_person("officer")
        with_post(administrator, "administrator")
        with_post(supervisor, "supervisor")
        sign_in(client, administrator.email)
        refused = client.post("/posts/", {"email": administrator.email, "role": "officer"})
        assert "Nobody gives a post to themselves" in refused.text and not ProposedRole.objects.exists()
        client.post("/posts/", {"email": officer.email, "role": "accounts"})
        client.post(f"/posts/{queries.posts_of(officer)[0].pk}/end/")
        told = Letter.objects.filter(template="post_changed")
        assert {each.to for each in told} == {administrator, supervisor, officer} and told.count() == 6


class TestPostOfTwo:
    """A post by which somebody decides counts when a second person agreed, and never by who gave or gets it."""

    @pytest.fixture
    def house(self, client: Client) -> dict[str, Client]:
        """Browsers of who watches over posts, of the person who is to get one, and of an applicant."""
        browsers = {}
        for local in ("administrator", "second", "supervisor", "puppet", "applicant"):
            browsers[local] = Client()
            a_person(local)
        with_post(self.of("administrator"), "administrator")
        with_post(self.of("second"), "administrator")
        with_post(self.of("supervisor"), "supervisor")
        for local, browser in browsers.items():
            sign_in(browser, f"{local}@sample.example")
        return browsers

    def of(self, local: str) -> User:
        found = queries.person_by_email(f"{local}@sample.example")
        assert found is not None
        return found

    def propose(self, house: dict[str, Client], **facts: str) -> ProposedRole:
        answer = house["administrator"].post("/posts/", {"email": "puppet@sample.example", "role": "officer"} | facts)
        assert answer.status_code == 302
        return ProposedRole.objects.get()

    def answer(self, browser: Client, proposed: ProposedRole, answer: str = "yes") -> int:
        return browser.post(f"/posts/proposed/{proposed.pk}/", {"answer": answer}).status_code

    @pytest.mark.parametrize("role", ["officer", "supervisor", "administrator"])
    def test_opens_nothing_before(self, house: dict[str, Client], role: str) -> None:
        proposed = self.propose(house, role=role, director="on")
        puppet = self.of("puppet")
        assert not queries.posts_of(puppet) and not queries.is_director(puppet)
        assert queries.in_office_since(puppet) is None and puppet not in queries.who_watches_posts()
        for page in ("/desk/", "/posts/"):
            assert house["puppet"].get(page).status_code == 403
        for local in ("administrator", "puppet", "applicant"):
            assert self.answer(house[local], proposed) in {403, 404}, local
        assert not queries.posts_of(puppet)

    def test_is_proposed_by_nobody_for_themselves_by_whatever_way(self, house: dict[str, Client]) -> None:
        administrator = self.of("administrator")
        facts = {"user": administrator, "by": administrator, "actor": "administrator:x", "now": timezone.now()}
        with pytest.raises(actions.OwnPost):
            actions.propose_post(role="officer", **facts)
        assert not ProposedRole.objects.exists()

    @pytest.mark.parametrize("by", ["second", "supervisor"])
    def test_counts_when_a_second_person_agrees(self, house: dict[str, Client], by: str) -> None:
        proposed = self.propose(house, director="on")
        page = house[by].get("/posts/").text
        assert "Waiting for a second person" in page and "puppet@sample.example" in page and 'value="yes"' in page
        own = house["administrator"].get("/posts/").text
        assert "Waiting for a second person" in own and 'value="yes"' not in own
        before = timezone.now()
        assert self.answer(house[by], proposed) == 302
        puppet = self.of("puppet")
        assert queries.is_director(puppet) and not ProposedRole.objects.exists()
        since = queries.in_office_since(puppet)
        assert since is not None and since >= before, "the time before the first seconding runs from the second yes"
        acts = [row.act for row in journal.about(f"person:{puppet.pk}")]
        assert {"people.proposed_post", "people.agreed_to_post", "people.appointed"} <= set(acts)
        assert self.answer(house["second"], proposed) == 404

    def test_is_told_to_all_who_watch_and_says_who_may_agree(self, house: dict[str, Client]) -> None:
        self.propose(house)
        told = {each.to: each.text for each in Letter.objects.filter(template="post_changed") if each.to is not None}
        assert {each.email.partition("@")[0] for each in told} == {"administrator", "second", "supervisor", "puppet"}
        assert all("opens nothing yet" in text for text in told.values())
        agree = {user.email.partition("@")[0] for user, text in told.items() if "/posts/" in text}
        assert agree == {"second", "supervisor"}

    def test_can_be_dropped_by_either(self, house: dict[str, Client]) -> None:
        for by in ("administrator", "supervisor"):
            proposed = self.propose(house)
            assert self.answer(house["puppet"], proposed, "no") == 403
            assert self.answer(house[by], proposed, "perhaps") == 404
            assert self.answer(house[by], proposed, "no") == 302
            assert not ProposedRole.objects.exists() and not queries.posts_of(self.of("puppet"))

    def test_waits_no_longer_than_two_weeks_or_than_its_proposer_is_in_office(self, house: dict[str, Client]) -> None:
        proposed = self.propose(house)
        ProposedRole.objects.update(proposed_at=timezone.now() - dt.timedelta(days=14))
        assert self.answer(house["second"], proposed) == 404
        proposed = self.propose(house)
        actions.end_post(post=self.of("administrator").posts.get(), actor="system:test", now=timezone.now())
        assert self.answer(house["second"], proposed) == 404
        assert not queries.posts_of(self.of("puppet"))

    def test_lets_a_supervisor_see_and_agree_and_nothing_else(self, house: dict[str, Client]) -> None:
        browser = house["supervisor"]
        page = browser.get("/posts/").text
        assert "Give a post" not in page and "/end/" not in page
        assert browser.post("/posts/", {"email": "puppet@sample.example", "role": "accounts"}).status_code == 403
        held = self.of("second").posts.get()
        assert browser.post(f"/posts/{held.pk}/end/").status_code == 403
        assert not queries.posts_of(self.of("puppet")) and queries.is_administrator(self.of("second"))

    def test_says_what_to_do_where_nobody_else_could_agree(self, house: dict[str, Client]) -> None:
        assert "rahdari people appoint" not in house["administrator"].get("/posts/").text
        for local in ("second", "supervisor"):
            actions.end_post(post=self.of(local).posts.get(), actor="system:test", now=timezone.now())
        page = house["administrator"].get("/posts/").text
        assert "There is nobody yet who could agree" in page and "rahdari people appoint EMAIL supervisor" in page

    def test_counts_once_however_many_agree(self, house: dict[str, Client]) -> None:
        proposed = self.propose(house)
        assert [self.answer(house[by], proposed) for by in ("second", "supervisor")] == [302, 404]
        assert self.of("puppet").posts.count() == 1
