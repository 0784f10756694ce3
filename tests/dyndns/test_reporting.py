"""Reports of an address, through the database: what is listed, what is answered, and whose an address is."""

import datetime as dt

import pytest
from django.utils import timezone

from rahdari import workflow
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.dyndns import hosts, queries, reporting
from rahdari.dyndns.models import AddressClaim, AddressReport, ReportedAddress
from rahdari.dyndns.rules import ReportOutcome
from rahdari.letters.models import Letter
from rahdari.register import actions as register
from rahdari.register.models import Change, Entry
from tests.builders import story
from tests.builders.connections import a_connection, a_dynamic_endpoint, a_host, addresses, listed, report

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


class TestAnApplication:
    def test_the_first_report_proves_it_and_the_draft_shows_the_address(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        endpoint = a_dynamic_endpoint(application, "203.0.113.9")
        host, _ = a_host(endpoint)
        assert report(host, "203.0.113.77").outcome is ReportOutcome.CHANGED
        endpoint.refresh_from_db()
        assert str(endpoint.network) == "203.0.113.77/32"
        proof = proofs.proof_of(endpoint.subject, endpoint.network)
        assert proof is not None and proof.method == Method.REPORT
        assert Entry.objects.count() == 0, "nothing is listed before it is granted"
        assert report(host, "203.0.113.77").outcome is ReportOutcome.SAME

    def test_is_granted_by_rule_and_what_was_reported_last_is_listed(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        endpoint = a_dynamic_endpoint(application)
        host, _ = a_host(endpoint)
        report(host, "203.0.113.201")
        story.send(story.fresh(application))
        report(host, "203.0.113.202")
        story.advance()
        host.refresh_from_db()
        assert host.registration is not None and listed(host.registration) == ["203.0.113.202/32"]
        entry = Entry.objects.get()
        assert (entry.kind, entry.holder) == ("dynamic", application.holder_ref)

    def test_an_unreported_connection_is_not_proved(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        endpoint = a_dynamic_endpoint(application)
        a_host(endpoint)
        assert proofs.proof_of(endpoint.subject, endpoint.network) is None


class TestReport:
    def test_a_change_is_listed_at_once_and_the_old_address_stays_ten_minutes_to_an_hour_more(self) -> None:
        connection = a_connection("203.0.113.210")
        now = timezone.now()
        assert report(connection.host, "203.0.113.211", now=now).outcome is ReportOutcome.CHANGED
        assert listed(connection.registration) == ["203.0.113.210/32", "203.0.113.211/32"]
        workflow.advance(now=now + 9 * MINUTE)
        assert listed(connection.registration) == ["203.0.113.210/32", "203.0.113.211/32"]
        workflow.advance(now=now + 70 * MINUTE)
        assert listed(connection.registration) == ["203.0.113.211/32"]

    def test_the_same_address_again_goes_on_without_a_change_of_the_register(self) -> None:
        connection = a_connection("203.0.113.212")
        before = Change.objects.count()
        now = timezone.now() + 2 * MINUTE
        assert report(connection.host, "203.0.113.212", now=now).outcome is ReportOutcome.SAME
        assert Change.objects.count() == before
        assert ReportedAddress.objects.get().until == now + queries.rules_in_force().length
        later = now + 20 * HOUR
        report(connection.host, "203.0.113.212", now=later)
        assert Change.objects.count() == before + 1, "the feed is told before it runs out, not at every report"
        assert Entry.objects.get().valid_until == later + 26 * HOUR + 3 * DAY

    def test_repeated_reports_are_one_row_with_a_count(self) -> None:
        connection = a_connection("203.0.113.213")
        start = timezone.now()
        for minute in range(1, 30):
            report(connection.host, "203.0.113.213", now=start + minute * 2 * MINUTE)
        assert AddressReport.objects.get(outcome=ReportOutcome.SAME).count == 29

    @pytest.mark.parametrize("address", ["10.1.2.3", "100.64.0.7", "224.0.0.5", "192.168.178.20", "169.254.1.1"])
    def test_private_shared_and_multicast_addresses_are_refused(self, address: str) -> None:
        connection = a_connection("203.0.113.214")
        assert report(connection.host, address).outcome is ReportOutcome.NOT_PUBLIC
        assert listed(connection.registration) == ["203.0.113.214/32"]

    def test_no_more_than_the_policys_changes_and_the_same_is_never_too_often(self) -> None:
        connection = a_connection("203.0.113.215")
        outcomes = [report(connection.host, f"203.0.113.{number}").outcome for number in range(216, 224)]
        assert outcomes.count(ReportOutcome.CHANGED) <= 5 and outcomes[-1] is ReportOutcome.TOO_OFTEN
        last = addresses(connection.host)[0]
        assert report(connection.host, last).outcome is ReportOutcome.SAME

    def test_families_are_leased_apart_and_both_are_listed(self) -> None:
        connection = a_connection("203.0.113.225")
        assert report(connection.host, "2001:db8:40::10").outcome is ReportOutcome.CHANGED
        assert listed(connection.registration) == ["2001:db8:40::10/128", "203.0.113.225/32"]

    def test_ends_a_pause(self) -> None:
        connection = a_connection("203.0.113.226")
        now = timezone.now()
        hosts.pause(host=connection.host, until=now + 7 * DAY, actor="person:1", now=now)
        report(connection.host, "203.0.113.226", now=now + 2 * MINUTE)
        assert connection.fresh().paused_until is None


class TestFromElsewhere:
    def test_is_not_listed_until_it_is_proved(self) -> None:
        connection = a_connection("203.0.113.230")
        assert report(connection.host, "203.0.113.231", source="198.51.100.9").outcome is ReportOutcome.NOT_PROVED
        assert listed(connection.registration) == ["203.0.113.230/32"]
        self.prove(AddressClaim.objects.get())
        workflow.advance(now=timezone.now())
        assert listed(connection.registration) == ["203.0.113.230/32", "203.0.113.231/32"]
        assert report(connection.host, "203.0.113.231", source="198.51.100.9").outcome is ReportOutcome.SAME

    def prove(self, claim: AddressClaim) -> None:
        challenge = proofs.latest_challenge(subject=claim.subject, block=claim.network, method=Method.LINK)
        assert challenge is not None
        token, here = proofs.link_token(challenge), claim.network.network_address
        challenges.open_link(token=token, address=here, now=timezone.now())

    def test_is_listed_when_it_is_proved_whoever_else_has_not(self) -> None:
        first, second = a_connection("203.0.113.235"), a_connection("203.0.113.236")
        now = timezone.now()
        for connection, address in ((first, "203.0.113.237"), (second, "203.0.113.238")):
            report(connection.host, address, source="198.51.100.9", now=now)
            now += MINUTE
        self.prove(AddressClaim.objects.get(host=second.host))
        assert sum(reporting.take_proved_claims(now=now, at_most=1) for _ in range(2)) == 1
        assert "203.0.113.238/32" in listed(second.registration)

    def test_a_claim_that_nobody_proves_is_let_go(self) -> None:
        connection = a_connection("203.0.113.232")
        report(connection.host, "203.0.113.233", source="198.51.100.9")
        workflow.advance(now=timezone.now() + 2 * HOUR)
        assert not AddressClaim.objects.filter(closed_at__isnull=True).exists()
        assert listed(connection.registration) == ["203.0.113.232/32"]

    def test_a_router_speaks_for_the_server_behind_it_in_the_same_network(self) -> None:
        connection = a_connection("203.0.113.234")
        heard = report(connection.host, "2001:db8:41:7::10", source="2001:db8:41:7::1")
        assert heard.outcome is ReportOutcome.CHANGED


class TestRivals:
    def test_an_address_that_was_left_makes_room_during_its_overlap(self) -> None:
        first, second = a_connection("203.0.113.235"), a_connection("203.0.113.236")
        report(first.host, "203.0.113.237")
        assert report(second.host, "203.0.113.235").outcome is ReportOutcome.CHANGED
        assert listed(first.registration) == ["203.0.113.237/32"]
        assert "203.0.113.235/32" in listed(second.registration)

    def test_a_silent_lease_yields_and_one_that_is_reported_does_not(self) -> None:
        first, second = a_connection("203.0.113.238"), a_connection("203.0.113.239")
        now = timezone.now()
        assert report(second.host, "203.0.113.238", now=now).outcome is ReportOutcome.RIVAL
        # The first one is there: it reports again, and the rival's clock stops.
        report(first.host, "203.0.113.238", now=now + 5 * MINUTE)
        assert report(second.host, "203.0.113.238", now=now + 31 * MINUTE).outcome is ReportOutcome.RIVAL
        # Now it is silent for as long as the policy lets a rival wait.
        later = now + 62 * MINUTE
        assert report(second.host, "203.0.113.238", now=later).outcome is ReportOutcome.CHANGED
        assert listed(first.registration) == []

    def test_a_fixed_address_of_another_holder_never_yields(self) -> None:
        connection, other = a_connection("203.0.113.240"), story.a_person()
        application = story.fill(story.a_draft(other))
        story.prove(story.add(application, "203.0.113.241"))
        story.send(story.fresh(application))
        story.advance()
        assert report(connection.host, "203.0.113.241").outcome is ReportOutcome.HELD
        assert listed(connection.registration) == ["203.0.113.240/32"]

    def test_what_the_holder_has_registered_already_is_said(self) -> None:
        connection = a_connection("203.0.113.242")
        application = story.fill(story.a_draft(connection.person))
        story.prove(story.add(application, "203.0.113.243"))
        story.send(story.fresh(application))
        story.advance()
        assert report(connection.host, "203.0.113.243").outcome is ReportOutcome.YOURS


class TestSilence:
    def test_gives_notice_and_grace_and_then_the_next_report_lists_it_again(self) -> None:
        connection = a_connection("203.0.113.244")
        start = ReportedAddress.objects.get().until
        workflow.advance(now=start)
        workflow.advance(now=start + MINUTE)
        letters = Letter.objects.filter(template="dyndns_silent")
        assert letters.count() == 1, "once for each silence"
        assert "203.0.113.244" in letters.get().text
        assert listed(connection.registration) == ["203.0.113.244/32"], "it stays through the grace"
        workflow.advance(now=start + 3 * DAY + MINUTE)
        assert listed(connection.registration) == []
        assert Letter.objects.filter(template="dyndns_ended").count() == 1
        back = start + 5 * DAY
        assert report(connection.host, "203.0.113.244", now=back).outcome is ReportOutcome.CHANGED
        assert listed(connection.registration) == ["203.0.113.244/32"]
        assert connection.registration.entries.count() == 2

    def test_a_report_in_the_grace_ends_it_and_a_new_silence_is_told_again(self) -> None:
        connection = a_connection("203.0.113.245")
        start = ReportedAddress.objects.get().until
        workflow.advance(now=start)
        report(connection.host, "203.0.113.245", now=start + HOUR)
        workflow.advance(now=start + 2 * DAY)
        assert Letter.objects.filter(template="dyndns_silent").count() == 2

    def test_a_paused_connection_is_not_written_about(self) -> None:
        connection = a_connection("203.0.113.246")
        start = ReportedAddress.objects.get().until
        hosts.pause(host=connection.host, until=start + 30 * DAY, actor="person:1", now=timezone.now())
        workflow.advance(now=start + HOUR)
        assert not Letter.objects.filter(template="dyndns_silent").exists()

    def test_reports_are_forgotten_after_the_policys_days(self) -> None:
        a_connection("203.0.113.247")
        workflow.advance(now=timezone.now() + 6 * DAY)
        assert AddressReport.objects.exists()
        workflow.advance(now=timezone.now() + 8 * DAY)
        assert not AddressReport.objects.exists()


class TestTokens:
    def test_a_new_one_leaves_the_old_one_working_for_as_long_as_was_asked(self) -> None:
        connection = a_connection("203.0.113.248")
        now = timezone.now()
        assert queries.token_shown(connection.token) is not None
        new = hosts.make_token(host=connection.host, actor="person:1", now=now, old_ends_in=DAY)
        assert [token.tail for token in queries.tokens_of(connection.host, now=now)] == [
            new.token.tail,
            connection.token[-4:],
        ]
        assert len(list(queries.tokens_of(connection.host, now=now + DAY))) == 1

    def test_no_table_holds_a_token(self) -> None:
        connection = a_connection("203.0.113.249")
        plain = connection.token.replace("-", "")
        assert all(plain not in str(vars(token)) for token in connection.host.tokens.all())
        assert queries.token_shown(connection.token.upper()) is not None, "however it was typed"
        assert queries.token_shown(plain[:-1] + ("a" if plain[-1] != "a" else "b")) is None


def test_a_registration_that_ended_takes_its_leases_along() -> None:
    connection = a_connection("203.0.113.250")
    register.strike_out(registration=connection.registration, code="X1", actor="person:1", now=timezone.now())
    workflow.advance(now=timezone.now() + 2 * DAY)
    assert not Letter.objects.filter(template__startswith="dyndns").exists()
