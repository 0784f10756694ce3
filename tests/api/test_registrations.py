"""What is held, as a program reads, changes, renews and ends it; invoices and letters."""

import datetime as dt

import pytest
from django.utils import timezone

from rahdari.register import actions as register
from rahdari.register import pausing
from rahdari.register.models import Registration
from tests.builders import story
from tests.builders.api_world import an_invoice, connection_of
from tests.builders.programs import Program, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]


@pytest.fixture
def registration(program: Program) -> Registration:
    return story.registration_of(story.a_granted_application(program.person))


class TestRegistration:
    def test_is_listed_and_read(self, program: Program, registration: Registration) -> None:
        [item] = program.get("/registrations").said["items"]
        said = program.get(f"/registrations/{registration.reference}").said
        assert item == {name: said[name] for name in item}
        assert (said["standing"], said["may_act"], said["renewal"]) == ("valid", True, None)
        [entry] = said["entries"]
        assert (entry["runs"], entry["port"], entry["proof"]["asked_again"]) == ("wireguard", 51820, "no")

    def test_has_its_certificate(self, program: Program, registration: Registration) -> None:
        answer = program.get(f"/registrations/{registration.reference}/certificate")
        assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")

    def test_runs_something_else_at_its_address(self, program: Program, registration: Registration) -> None:
        entry = registration.entries.get()
        place = f"/registrations/{registration.reference}/entries/{entry.pk}"
        said = program.put(place, {"runs": "other", "protocol": "tcp", "port": 8443}).said
        assert [(each["protocol"], each["port"]) for each in said["entries"] if not each["ended_at"]] == [("tcp", 8443)]
        said = problem(program.put(place, {"runs": "other"}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/protocol"

    def test_is_renewed_when_its_time_comes(self, program: Program, registration: Registration) -> None:
        said = problem(program.post(f"/registrations/{registration.reference}/renew"), 409, "not-possible-now")
        assert said["code"] == "too_early"
        assert said["opens_at"] == program.get(f"/registrations/{registration.reference}").said["renewal_opens_at"]

    def test_is_changed_by_an_application(self, program: Program, registration: Registration) -> None:
        place = f"/registrations/{registration.reference}"
        made = program.post(f"{place}/change")
        assert (made.status_code, made.said["about"], made.said["registration"]) == (
            201,
            "change",
            registration.reference,
        )
        assert program.post(f"{place}/change").said["reference"] == made.said["reference"]
        assert program.get(place).said["change"] == made.said["reference"]

    def test_is_paused_and_ended_with_a_scope_of_its_own_and_goes_on(
        self, program: Program, registration: Registration
    ) -> None:
        place = f"/registrations/{registration.reference}"
        bound = Program(program.person, scopes=("registrations:read", "registrations:write"))
        for act, body in (("end", {"end": True}), ("pause", {"days": 7})):
            problem(bound.post(f"{place}/{act}", body), 403, "missing-scope")
        said = program.post(f"{place}/pause", {"days": 7}).said
        assert (said["standing"], said["published_at"], said["in_force"]["operators"]) == ("paused", None, 0)
        assert bound.post(f"{place}/go-on").said["standing"] == "valid"
        assert program.post(f"{place}/end", {"end": True}).said["standing"] == "ended"
        said = bound.post(f"{place}/go-on").said
        assert (said["standing"], said["entries"][0]["ended_at"]) == ("valid", None)

    def test_is_said_to_be_still_right_once_it_was_asked(self, program: Program, registration: Registration) -> None:
        place = f"/registrations/{registration.reference}"
        a_day_ago = timezone.now() - dt.timedelta(days=1)
        Registration.objects.filter(pk=registration.pk).update(last_word_at=a_day_ago)
        said = program.get(place).said["still_right"]
        assert program.post(f"{place}/still-right").said["still_right"] == said and said["asked_at"] is None
        asked = timezone.now()
        register.ask_whether_right(registration=registration, next_at=None, now=asked)
        assert program.get(place).said["still_right"]["asked_at"] is not None
        problem(
            Program(program.person, scopes=("registrations:read",)).post(f"{place}/still-right"), 403, "missing-scope"
        )
        done = program.post(f"{place}/still-right").said["still_right"]
        assert done["asked_at"] is None and done["said_at"] > said["said_at"]
        assert program.post(f"{place}/still-right").said["still_right"] == done

    def test_is_changed_and_ended_while_it_is_paused(self, program: Program, registration: Registration) -> None:
        place = f"/registrations/{registration.reference}"
        program.post(f"{place}/pause", {"days": 7})
        assert program.post(f"{place}/change").status_code == 201
        entry = f"{place}/entries/{registration.entries.get().pk}"
        said = program.put(entry, {"runs": "other", "protocol": "tcp", "port": 8443}).said
        assert (said["standing"], said["entries"][0]["protocol"]) == ("paused", "tcp")
        assert program.post(f"{entry}/proof").said["state"] == "open"
        assert program.post(f"{place}/end", {"end": True}).said["standing"] == "ended"
        assert program.post(f"{place}/go-on").said["standing"] == "valid"

    def test_that_officers_suspended_is_not_ended_nor_changed(
        self, program: Program, registration: Registration
    ) -> None:
        pausing.suspend(registration=registration, code="S4", actor="officer:1", now=timezone.now())
        place = f"/registrations/{registration.reference}"
        assert problem(program.post(f"{place}/end", {"end": True}), 409, "not-possible-now")["code"] == "not_at_request"
        assert problem(program.post(f"{place}/change"), 409, "not-possible-now")["code"] == "not_valid"
        assert program.get(place).said["standing"] == "suspended"

    def test_ends_once(self, program: Program, registration: Registration) -> None:
        place = f"/registrations/{registration.reference}"
        problem(program.post(f"{place}/end", {"end": False}), 400, "invalid-request")
        for _ in range(2):
            assert program.post(f"{place}/end", {"end": True}).said["standing"] == "ended"
        problem(program.post(f"{place}/change"), 409, "not-possible-now")

    def test_is_proved_again_when_its_holder_wants(self, program: Program, registration: Registration) -> None:
        place = f"/registrations/{registration.reference}/entries/{registration.entries.get().pk}/proof"
        assert program.get(place).said["state"] == "no"
        begun = program.post(place)
        assert (begun.status_code, begun.said["state"]) == (202, "open")
        assert begun.said["link"] is not None

    def test_has_connections_with_passwords(self, program: Program, registration: Registration) -> None:
        place = f"/registrations/{registration.reference}/connections/{connection_of(registration)}"
        made = program.post(f"{place}/passwords", {}).said
        second = program.post(f"{place}/passwords", {"stop_old": True}).said
        assert made["password"] != second["password"]
        assert len(second["connection"]["passwords"]) == 1
        said = program.put(place, {"v6_as": "network", "paused_until": None}).said
        assert (said["v6_as"], said["paused_until"]) == ("network", None)
        said = problem(program.put(place, {"paused_until": "2020-01-01"}), 422, "not-taken")
        assert said["errors"][0]["pointer"] == "/paused_until"


class TestAccounts:
    def test_show_invoices(self, program: Program) -> None:
        number = an_invoice(program.person)
        said = program.get(f"/invoices/{number}").said
        assert (said["amount"], said["open"], said["currency"], said["receipt"]) == ("1000.00", "1000.00", "PKR", None)
        assert program.get("/invoices").said == {"items": [said]}

    def test_show_letters_and_mark_them_as_read(self, program: Program) -> None:
        application = story.a_granted_application(program.person)
        # Beside the letter that says that a token was made.
        items = [each for each in program.get("/letters").said["items"] if each["about"] is not None]
        assert {each["about"] for each in items} == {application.reference}
        place = f"/letters/{items[0]['id']}"
        letter = program.get(place).said
        assert letter["text"] and letter["read_at"] is None
        assert program.post(f"{place}/read").said["read_at"] is not None
        assert program.get(place).said["read_at"] is not None
