"""The pages of an application's addresses, through the test client."""

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from rahdari.address import SpecialName
from rahdari.apply import form_errors, queries, summary
from rahdari.apply.models import Application
from tests.builders.drafts import a_complete_draft, a_draft, a_person, register_to, with_address

from .test_pages import BOTH, a_client, at, page

pytestmark = pytest.mark.django_db


class TestAddresses:
    def add(self, client: Client, draft: Application, block: str, **given: str) -> HttpResponse:
        return client.post(at("add_address", draft), {"block": block, "kind": "wireguard"} | given)  # type: ignore[return-value]

    @BOTH
    def test_are_added_changed_and_removed(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        # Nothing is shown of what is not there: the first form comes at once.
        assert client.get(at("addresses", draft)).headers["Location"] == at("add_address", draft)
        page(client.get(at("add_address", draft)))
        for number, (block, given) in enumerate(
            [
                ("39.32.0.1", {"kind": "openvpn_udp"}),
                ("۳۹.۳۲.۰.۲", {"kind": "ikev2"}),
                ("2400:adc0::/56", {"kind": "wireguard", "port": "۴۴۳، ۵۰۰–۵۰۲"}),
                ("39.32.0.16/28", {"kind": "any"}),
            ]
        ):
            answer = self.add(client, draft, block, **given)
            # One address leads on to its proof, several to their list.
            assert answer.headers["Location"] == (at("addresses" if number else "about", draft))
        rows = list(queries.endpoints_of(draft))
        assert [str(row.as_address()) for row in rows] == [
            "39.32.0.1 udp 1194",
            "39.32.0.2 udp 500, udp 4500, esp",
            "2400:adc0::/56 udp 443, udp 500, udp 501, udp 502",
            "39.32.0.16/28 any",
        ]  # fmt: skip
        shown = page(client.get(at("addresses", draft)))
        assert "39.32.0.16/28" in shown
        assert "IKEv2 UDP 500, 4500 + ESP" in shown and "WireGuard UDP 443, 500-502" in shown
        page(client.get(at("change_address", draft, rows[0].pk)))
        changed = client.post(at("change_address", draft, rows[0].pk), {"block": "39.32.0.9", "kind": "ikev2"})
        assert changed.headers["Location"] == at("addresses", draft)
        client.post(at("remove_address", draft, rows[1].pk))
        shown = page(client.get(at("addresses", draft)))
        assert "39.32.0.9" in shown and "39.32.0.1<" not in shown

    def test_say_so_where_a_part_that_was_named_becomes_the_whole(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        self.add(client, draft, "39.32.0.1", kind="other", protocol="udp", port="1701")
        shown = page(client.get(at("addresses", draft)))
        assert "You named a part of" in shown and "L2TP/IPsec UDP 500, 1701, 4500 + ESP" in shown
        self.add(client, draft, "39.32.0.2", kind="other", protocol="udp", port="1702")
        assert "You named a part of" not in page(client.get(at("addresses", draft)))

    @BOTH
    def test_of_a_tunnel_keep_the_other_side_encrypted_for_the_officer(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        said = page(self.add(client, draft, "39.32.0.1", remote="somewhere"))
        assert "somewhere" in said and not queries.endpoints_of(draft).exists()
        assert self.add(client, draft, "39.32.0.1", remote="198.51.100.7").status_code == 302
        row = queries.endpoints_of(draft).get()
        assert row.remote == "198.51.100.7"
        assert "198.51.100.7" in page(client.get(at("change_address", draft, row.pk)))
        service = queries.policy_in_force().services[draft.service]
        assert "198.51.100.7" in str(summary.summary_groups(draft, service, [row], [], language=language))
        with connection.cursor() as cursor:
            cursor.execute("SELECT e::text FROM apply_endpoint e")
            assert "198.51.100.7" not in str(cursor.fetchall())
        asked = {"block": "39.32.0.1", "kind": "wireguard", "remote": ""}
        assert client.post(at("change_address", draft, row.pk), asked).status_code == 302
        assert queries.endpoints_of(draft).get().remote == ""

    def test_that_are_sent_twice_are_added_once(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        form = client.get(at("add_address", draft)).content.decode()
        id = re.search(r'name="id" value="([0-9a-f-]{36})"', form)
        assert id is not None
        for _ in range(2):
            assert self.add(client, draft, "39.32.0.1", id=id[1]).status_code == 302
        assert queries.endpoints_of(draft).count() == 1

    @BOTH
    @pytest.mark.parametrize(
        ("block", "said", "offered"),
        [
            ("", "Enter an address", None),
            ("not-an-address", "This is not an address", None),
            ("vpn.sample.example", "This is a name, not an address", None),
            ("https://39.32.0.1:8443/login", "This is a web address", "39.32.0.1"),
            ("39.32.0.1:51820", "There is a port after the address", "39.32.0.1"),
            ("39.32.0.5/28", "The range around it", "39.32.0.0/28"),
            ("39.32.0.0/255.255.255.240", "a slash and one number", "39.32.0.0/28"),
            ("39.32.0.007", "a leading zero", "39.32.0.7"),
            ("::ffff:39.32.0.1", "inside an IPv6 one", "39.32.0.1"),
            ("39.32.0.0-39.32.0.15", "Enter the range as", "39.32.0.0/28"),
            ("39.32.0.1-39.32.0.9", "not one range", None),
            ("39.32.0.1, 39.32.0.2", "Enter one address here", "39.32.0.1"),
            ("39.32.0", "A part is missing", None),
            ("39.32.0.256", "greater than 255", None),
            ("39.32.0.1310", "one digit too many", "39.32.0.131"),
            ("39.32.0.l4", "a letter in it", "39.32.0.14"),
            ("39.32.O.4", "a letter in it", "39.32.0.4"),
            ("39.32.O.9O9", "Check it again", None),
            ("0x27.0x20.0.4", "ordinary digits", "39.32.0.4"),
            ("39.32.0.2\u2074", "only looks like a digit", "39.32.0.24"),
            ("\u202e8.7.6.5", "reverses the digits", None),
            ("\u20672400:adc0::1", "reverses the digits", None),
            ("39.32.0.0/028", "a leading zero", "39.32.0.0/28"),
            ("39.32.0.1/33", "32 at most", None),
            ("2400:adc0::1%eth0", "percent sign", "2400:adc0::1"),
            # What would be offered could not be taken either: that is said at once.
            ("fe80::1%eth0", "only inside your own network", None),
            ("https://192.168.1.1/", "private address", None),
            ("39.32.0.9/8", "too wide", None),
            ("0.0.0.0/0", "too wide", None),
            ("10.0.0.0/8", "private address", None),
            ("39.32.0.0 255.255.255.240", "a slash and one number", "39.32.0.0/28"),
            ("39.32.0.1 39.32.0.2", "Enter one address here", "39.32.0.1"),
            ("192.168.1.1", "private address", None),
            ("100.64.0.9", "shares this address", None),
            ("127.0.0.0/31", "own", None),
            ("240.0.0.1", "belongs to nobody", None),
            ("2002:2720:1::1", "bridge between IPv4 and IPv6", None),
            ("39.32.0.0/27", "too wide", None),
            ("2400:adc0::/48", "too wide", None),
        ],
    )
    def test_say_how_to_mend_a_bad_one(
        self, block: str, said: str, offered: str | None, language: str, settings: Any
    ) -> None:
        settings.ALLOWED_SPECIAL_RANGES = []
        draft = a_draft()
        shown = page(self.add(a_client(draft.applicant, language=language), draft, block, port="999"))
        assert 'role="alert"' in shown and 'href="#id_block"' in shown
        if language == "en" and said != "own":
            assert said in shown
        assert (f'name="take" value="{offered}"' in shown) is (offered is not None)
        assert 'value="999"' in shown and 'value="wireguard" checked' in shown
        assert not queries.endpoints_of(draft).exists()

    @BOTH
    def test_that_another_window_removed_are_kept_to_be_added(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        self.add(client, draft, "39.32.0.1")
        row = queries.endpoints_of(draft).get()
        client.post(at("remove_address", draft, row.pk))
        answer = client.post(at("change_address", draft, row.pk), {"block": "39.32.0.7", "kind": "any", "id": row.pk})
        shown = page(answer)
        assert f'action="{at("add_address", draft)}"' in shown and 'value="39.32.0.7"' in shown
        said = "removed or changed in another window" if language == "en" else "دوسری ونڈو"
        assert said in shown
        id = re.search(r'name="id" value="([0-9a-f-]{36})"', shown)
        assert id is not None
        assert self.add(client, draft, "39.32.0.7", kind="any", id=id[1]).status_code == 302
        assert [entry.address_text for entry in queries.endpoints_of(draft)] == ["39.32.0.7"]
        looked = client.get(at("change_address", draft, row.pk), follow=True)
        assert said in page(looked)
        assert client.get(at("change_address", draft, uuid.uuid4())).status_code == 404

    def test_take_the_suggestion_at_one_tap(self) -> None:
        draft = a_draft()
        client = a_client(draft.applicant)
        answer = self.add(client, draft, "39.32.0.1:51821", take="39.32.0.1", take_port="51821")
        assert answer.status_code == 302
        [row] = queries.endpoints_of(draft)
        assert str(row.as_address()) == "39.32.0.1 udp 51821"

    @BOTH
    def test_of_an_unknown_network_are_taken_with_a_warning(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language)
        assert self.add(client, draft, "154.192.0.1").status_code == 302
        shown = page(client.get(at("addresses", draft)))
        assert 'class="alert warn"' in shown and 'class="g warn"' in shown
        if language == "en":
            assert "an officer will look at it" in shown

    @BOTH
    def test_that_another_holds_are_taken_like_any_other_so_that_nobody_can_ask(self, language: str) -> None:
        other = a_complete_draft(a_person("other@sample.example", name="Planted Holder"), block="203.0.113.88")
        register_to(other.applicant.holder_ref, "203.0.113.88")
        for block in ("203.0.113.88", "203.0.113.89"):
            draft = a_draft(a_person(f"{block}@sample.example"))
            client = a_client(draft.applicant, language=language)
            assert self.add(client, draft, block).status_code == 302
            seen = page(client.get(at("addresses", draft)))
            assert "Planted Holder" not in seen and 'class="err"' not in seen

    @BOTH
    def test_that_you_hold_or_added_already_are_said_to_be_yours(self, language: str) -> None:
        draft = a_draft()
        register_to(draft.applicant.holder_ref, "203.0.113.88")
        with_address(draft, "203.0.113.24")
        client = a_client(draft.applicant, language=language)
        held = page(self.add(client, draft, "203.0.113.88"))
        twice = page(self.add(client, draft, "203.0.113.24"))
        assert "203.0.113.88 UDP 51820" in held and "203.0.113.24 UDP 51820" in twice
        if language == "en":
            assert "You have already registered it" in held and "It is already in this application" in twice

    @BOTH
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"kind": "", "which": "server"}, "Choose what runs there"),
            ({"kind": ""}, "Choose which address it is"),
            ({"kind": "other"}, "Choose the protocol"),
            ({"kind": "other", "protocol": "sctp"}, "Choose the protocol"),
            ({"kind": "other", "protocol": "gre", "port": "1"}, "has no port"),
            ({"port": "0"}, "from 1 to 65535"),
            ({"port": "70000"}, "from 1 to 65535"),
            ({"port": "all"}, "as numbers"),
            ({"port": "1203-1200"}, "the smaller port comes first"),
            ({"port": "1000-2000"}, "One address takes 32 ports"),
            ({"kind": "ikev2", "port": "5000"}, "This always uses the ports"),
        ],
    )
    def test_say_how_to_mend_protocol_and_port(self, given: dict[str, str], said: str, language: str) -> None:
        draft = a_draft()
        shown = page(self.add(a_client(draft.applicant, language=language), draft, "39.32.0.1", **given))
        assert 'class="err"' in shown and 'value="39.32.0.1"' in shown
        if language == "en":
            assert said in shown

    @BOTH
    def test_offer_the_visitors_own_one_with_its_operator(self, language: str) -> None:
        draft = a_draft()
        client = a_client(draft.applicant, language=language, address="39.32.0.77")
        shown = page(client.get(at("add_address", draft)))
        assert "39.32.0.77" in shown and "Pakistan Telecommuication company limited" in shown
        form = page(client.get(at("add_address", draft) + "?address=39.32.0.77"))
        assert 'value="39.32.0.77"' in form
        tapped = page(client.post(at("add_address", draft), {"block": "", "take": "39.32.0.77"}))
        assert 'value="39.32.0.77"' in tapped and 'class="err"' not in tapped
        assert self.add(client, draft, "", take="39.32.0.77").status_code == 302
        assert 'name="take"' not in page(client.get(at("addresses", draft)))

    @BOTH
    def test_of_an_own_line_is_filled_in_and_nothing_else_is_asked(self, language: str) -> None:
        draft = a_draft(fixed_address="line")
        client = a_client(draft.applicant, language=language, address="39.32.0.77")
        shown = page(client.get(at("add_address", draft)))
        assert 'value="39.32.0.77"' in shown and 'value="line" checked' in shown
        assert client.post(at("add_address", draft), {"which": "line", "block": "39.32.0.77"}).status_code == 302
        [row] = queries.endpoints_of(draft)
        assert str(row.as_address()) == "39.32.0.77 any"
        again = page(client.get(at("change_address", draft, row.pk)))
        assert 'value="line" checked' in again

    def test_of_a_line_registers_everything_whatever_stood_in_the_hidden_fields(self) -> None:
        draft = a_draft()
        given = {"which": "line", "block": "39.32.0.7", "kind": "other", "protocol": "esp", "port": "99999"}
        assert a_client(draft.applicant).post(at("add_address", draft), given).status_code == 302
        assert str(queries.endpoints_of(draft).get().as_address()) == "39.32.0.7 any"

    @BOTH
    def test_of_a_server_say_what_runs_there(self, language: str) -> None:
        draft = a_draft(fixed_address="server")
        client = a_client(draft.applicant, language=language, address="39.32.0.77")
        shown = page(client.get(at("add_address", draft)))
        assert 'value="server" checked' in shown and 'name="block" value="39.32.0.77"' not in shown
        refused = page(client.post(at("add_address", draft), {"which": "server", "block": "39.32.0.7"}))
        assert 'href="#id_kind_0"' in refused
        neither = page(client.post(at("add_address", draft), {"block": "39.32.0.7"}))
        assert 'href="#id_which_0"' in neither and not queries.endpoints_of(draft).exists()

    def test_offer_no_private_one_and_believe_no_header(self) -> None:
        draft = a_draft()
        for address in ("10.0.0.7", "100.64.0.7"):
            client = a_client(draft.applicant, address=address)
            shown = page(client.get(at("add_address", draft), headers={"x-forwarded-for": "39.32.0.77"}))
            assert 'name="take"' not in shown and "39.32.0.77" not in shown

    @BOTH
    def test_that_came_to_the_same_holder_meanwhile_are_marked(self, language: str) -> None:
        draft = a_draft()
        with_address(draft, "203.0.113.24")
        register_to(draft.applicant.holder_ref, "203.0.113.24")
        assert 'class="err"' in page(a_client(draft.applicant, language=language).get(at("addresses", draft)))

    def test_stop_at_the_limit_of_the_policy(self) -> None:
        draft = a_draft()
        most = queries.policy_in_force().limits.endpoints_per_application
        for host in range(most):
            with_address(draft, f"203.0.113.{host}")
        client = a_client(draft.applicant)
        assert at("add_address", draft) not in page(client.get(at("addresses", draft)))
        assert f"One application takes {most} addresses." in page(self.add(client, draft, "203.0.113.200"))

    def test_have_a_sentence_for_every_special_use(self) -> None:
        for name in SpecialName:
            assert form_errors.special(name)
