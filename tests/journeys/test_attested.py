"""A freelancer whom an association attests when it is asked; then it revokes, and no registration ends."""

from collections.abc import Callable

import pytest

from . import desk
from .desk import OFFICER
from .freelancers import Freelancer, choose_evidence, fill_in, prove, send
from .people import Person
from .stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]

SECRETARY = "association@demo.rahdari.example"
MEMBER = Freelancer("Sample Freelancer 91", "freelancer-91@sample.example", cnic="35202-1234591-1")
NUMBER = "SAMPLE-0791"


def name_the_association(who: Freelancer, person: Person) -> None:
    choose_evidence(person, "association", "association")
    person.fill({"number": "?!"})
    person.go_on("association, no number")
    assert person.page.locator("main .errors").is_visible()
    person.fill({"number": NUMBER, "cnic": who.cnic})
    person.go_on("tasks, association named")


class TestAMember:
    def test_is_attested_on_request_and_keeps_the_registration_when_it_is_revoked(
        self, stack: Stack, a_person: Callable[..., Person]
    ) -> None:
        person, stranger, secretary = a_person("freelancer"), a_person("stranger"), a_person("association")
        base = fill_in(MEMBER, person, name_the_association)
        prove(person, base, stranger)
        send(MEMBER, person, base)
        person.waits_for(f"{base}status/", "Waiting for your association to answer")

        secretary.sign_in_ready(SECRETARY)
        secretary.waits_for("/association/", "Asks you to attest")
        secretary.follow(secretary.page.locator("table a", has_text=MEMBER.name), "asked")
        # Its yes says who may apply in the member's name; of the rest it sees nothing.
        assert MEMBER.email in secretary.text()
        for secret in (person.home.address, "1234591"):
            assert secret not in secretary.page.content()
        secretary.choose("freelancer", name="claim")
        secretary.choose("papers", name="method")
        secretary.go_on("members, attested")
        secretary.sees("The member is attested.")

        person.waits_for(f"{base}status/", "On the register")
        person.follow("main .actions a.btn", "registration")
        person.sees("Your registration is valid")
        registration = person.page.url.removeprefix(stack.url)

        secretary.follow(secretary.page.locator("table a", has_text=MEMBER.name), "attestation")
        secretary.follow("main a[href$='/revoke/']", "revoke")
        secretary.choose("left", name="revocation")
        secretary.fill({"explanation": "The membership ended in October."})
        secretary.follow("main button.danger", "attestation, revoked")
        secretary.sees("It is revoked. If a registration depends on it, its holder gets a letter with your reason.")

        person.waits_for("/attestations/", "Revoked")
        person.follow("main .tasks a", "what was said, revoked")
        person.sees("Your registration is not ended by this. An officer looks at it; you can object here.")
        person.fill({"objection": "I paid for this year in June."})
        person.follow("main form button.btn.second", "objected")
        person.sees("The association is asked for its answer. Then an officer decides.")
        person.open(registration, "registration, still there")
        person.sees("Your registration is valid")

        secretary.open("/association/", "members, disputed")
        secretary.follow("main .tasks a", "a dispute")
        secretary.choose("yields", name="reply")
        secretary.fill({"text": "The payment was found."})
        secretary.go_on("members, answered")

        officer = a_person("officer")
        desk.sit_down(officer, OFFICER)
        officer.open("/desk/attestations/", "matters")
        officer.follow("main .tasks a", "matter")
        officer.sees("The association says that the member is right.")
        officer.choose("stands", name="outcome")
        officer.fill({"text": "Attested again."})
        officer.go_on("matter, decided")
        officer.sees("It is decided, and the member is told.")
        person.waits_for("/attestations/", "Attested")
