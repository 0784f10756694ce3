"""Files of addresses: reading what spreadsheets make of them, judging each row, adding the good ones."""

import csv
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import format_parts, parse_block
from rahdari.apply import bulk, idle_drafts, judging, queries, rows
from rahdari.apply.models import AddressFile, Application, Endpoint
from rahdari.apply.rows import AddressRow, FileFault, Table
from rahdari.journal import queries as journal
from tests.builders.drafts import LATER, NOW, a_draft, a_person, actor_of, register_to, with_address

HEAD = "address,protocol,port,remote,label"


def table_of(text: str | bytes, most_rows: int = 100) -> Table:
    found = rows.read(text.encode() if isinstance(text, str) else text, most_rows=most_rows)
    assert isinstance(found, Table), found
    return found


def blocks(table: Table) -> list[str]:
    return [row.given()["block"] for row in table.rows]


class TestRead:
    @pytest.mark.parametrize(
        "content",
        [
            "address,port\n203.0.113.24,51820\n",
            "address;port\r\n203.0.113.24;51820\r\n",
            "address\tport\n203.0.113.24\t51820",
            "sep=;\nIP Address;Port\n203.0.113.24;51820",
            "\ufeffaddress,port\n203.0.113.24,51820",
            '"address,port"\n"203.0.113.24,51820"\n',
            "ایڈریس;پورٹ\n203.0.113.24;51820",
            "\n\nPort,Public IP\n51820,203.0.113.24\n,\n",
            'address,port\n"=""203.0.113.24""",51820.0\n',
            "address,port\n'203.0.113.24,\u00a051820\u00a0\n",
            'address,port\n203.0.113.24,"51,820"\n',
            "address;port\n203.0.113.24;51820,0\n",
        ],
        ids=[
            *("comma", "semicolon", "tab", "hint", "mark", "quoted rows", "urdu", "order", "formula", "apostrophe"),
            *("thousands", "decimal comma"),
        ],
    )
    def test_takes_what_spreadsheets_make(self, content: str) -> None:
        [row] = table_of(content).rows
        assert (row.given()["block"], row.given()["port"]) == ("203.0.113.24", "51820")

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1256"])
    def test_takes_the_encodings_of_spreadsheets(self, encoding: str) -> None:
        text = f"{HEAD}\n203.0.113.24,wireguard,,,دفتر\n203.0.113.25,wireguard,,,دفتر\n"
        assert [row.cell("label") for row in table_of(text.encode(encoding)).rows] == ["دفتر", "دفتر"]

    def test_does_without_headings_when_the_first_cell_is_an_address(self) -> None:
        assert blocks(table_of("203.0.113.24,udp,51820\n2001:db8::1,any\n")) == ["203.0.113.24", "2001:db8::1"]
        assert blocks(table_of("۲۰۳.۰.۱۱۳.۲۴")) == ["۲۰۳.۰.۱۱۳.۲۴"]

    def test_carries_along_what_it_does_not_know(self) -> None:
        table = table_of("address,city,city,\n203.0.113.24,Lahore,Karachi,x,beyond\n")
        assert table.unknown == ("city", "city (3)", "column 4")
        assert dict(table.rows[0].cells) == {
            "address": "203.0.113.24",
            "city": "Lahore",
            "city (3)": "Karachi",
            "column 4": "x",
            "more": "beyond",
        }

    def test_names_the_line_of_the_file(self) -> None:
        assert [row.line for row in table_of("\naddress\n\n203.0.113.1\n203.0.113.2\n").rows] == [4, 5]

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"", FileFault.EMPTY),
            (b" \n ", FileFault.EMPTY),
            (b"address,port\n", FileFault.EMPTY),
            (b"PK\x03\x04\x00\x00", FileFault.NOT_TEXT),
            (b'address\n"203.0.113.1\n', FileFault.NOT_TEXT),
            (b"name,city\nx,y\n", FileFault.NO_COLUMNS),
            (b"address\n" + b"203.0.113.1\n" * 4, FileFault.TOO_MANY_ROWS),
            (b"x" * (rows.MOST_BYTES + 1), FileFault.TOO_LARGE),
            (b"address\n[Interface]\nPrivateKey = x\n", FileFault.SECRET),
            (b"address,note\n203.0.113.1," + b"A" * 43 + b"=\n", FileFault.SECRET),
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", FileFault.SECRET),
        ],
        ids=["none", "blank", "headings", "binary", "quote", "columns", "rows", "bytes", "wireguard", "key", "pem"],
    )
    def test_says_why_a_file_cannot_be_read(self, content: bytes, fault: FileFault) -> None:
        assert rows.read(content, most_rows=3) == fault

    @pytest.mark.parametrize(
        ("protocol", "port", "expected"),
        [
            ("WireGuard", "", ("wireguard", "", "")),
            ("OpenVPN (TCP)".replace("(", "").replace(")", ""), "443", ("openvpn_tcp", "", "443")),
            ("udp", "51820", ("other", "udp", "51820")),
            ("udp/51820", "", ("other", "udp", "51820")),
            ("", "51820/UDP", ("other", "udp", "51820")),
            ("wireguard", "udp/51821", ("wireguard", "", "51821")),
            ("IKEv2-NAT", "", ("ikev2", "", "")),
            ("IPsec", "500", ("ikev2", "", "500")),
            ("L2TP/IPsec", "", ("l2tp", "", "")),
            ("OpenVPN", "1194, 1200-1203", ("openvpn_udp", "", "1194, 1200-1203")),
            ("wireguard", "51,820", ("wireguard", "", "51820")),
            ("udp", "53,443", ("other", "udp", "53,443")),
            ("سب", "", ("any", "", "")),
            ("carrier pigeon", "7", ("other", "", "7")),
            ("ＵＤＰ", "۵۱۸۲۰", ("other", "udp", "51820")),
        ],
    )
    def test_knows_what_runs_there(self, protocol: str, port: str, expected: tuple[str, str, str]) -> None:
        assert rows.what_runs(protocol, port) == expected

    @given(st.binary(max_size=300))
    def test_never_fails_whatever_the_bytes(self, content: bytes) -> None:
        assert isinstance(rows.read(content, most_rows=5), Table | FileFault)

    cells = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf"]), max_size=12).map(str.strip)

    @given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
    def test_reads_what_it_writes(self, written: list[tuple[str, str]]) -> None:
        found = rows.read(
            rows.write(["address", "label"], [("203.0.113.1", f"x{label}{more}") for label, more in written]).encode(),
            most_rows=9,
        )
        assert isinstance(found, Table)
        expected = [f"x{label}{more}".strip() for label, more in written]
        assert [row.cell("label") for row in found.rows] == expected

    def test_writes_no_formula(self) -> None:
        text = rows.write(["address"], [["=1+1"], ["@x"], ["-1"], ["203.0.113.1"]], mark=False)
        assert text.splitlines() == ["address", "'=1+1", "'@x", "'-1", "203.0.113.1"]

    @given(st.lists(st.text(st.sampled_from("=+-@;|,\t\n'\"a ")), min_size=1, max_size=4))
    def test_writes_no_formula_whatever_the_reader_divides_at(self, cells: list[str]) -> None:
        text = rows.write(["a"], [cells], mark=False)
        for sign in ",;|\t":
            seen = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=sign) for cell in row]
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in seen), (sign, text)


def a_company_draft() -> Application:
    return a_draft(a_person("manager@sample.example"), service="vpn_company")


def judged_of(draft: Application, text: str) -> list[judging.Judged]:
    return judging.judge(draft, table_of(text, 500), queries.policy_in_force(), by=draft.applicant)


@pytest.mark.django_db
class TestJudge:
    def test_says_of_a_row_what_the_form_says(self) -> None:
        draft = a_company_draft()
        register_to(draft.holder_ref, "203.0.113.99", port=1194)
        with_address(draft, "203.0.113.50")
        text = (
            f"{HEAD}\n"
            "203.0.113.24,wireguard,,,Head office\n"
            "203.0.113.310,wireguard,,,\n"
            "192.168.1.1,wireguard,,,\n"
            "203.0.113.0/24,any,,,\n"
            "203.0.113.24,wireguard,,,again\n"
            "203.0.113.99,udp,1194,,\n"
            "203.0.113.50,wireguard,,,\n"
            "203.0.113.26,wireguard,70000,vpn.sample.example,\n"
            "203.0.113.27,smoke signals,,,\n"
        )
        found = judged_of(draft, text)
        assert [each.is_good for each in found] == [True, *[False] * 8]
        said = [" ".join(fault.words for fault in each.faults) for each in found]
        for place, part in {
            1: "greater than 255",
            2: "private address",
            3: "too wide",
            4: "already in row 2",
            5: "You have already registered it",
            6: "already in this application",
            8: "Write one of these: \u2066wireguard, openvpn, ",
        }.items():
            assert part in said[place], (place, said[place])
        assert "1 to 65535" in said[7] and "a name, not an address" in said[7]
        assert {fault.column for fault in found[7].faults} == {"port", "remote"}

    def test_says_it_in_urdu(self) -> None:
        with translation.override("ur"):
            [bad] = judged_of(a_company_draft(), "address,protocol\n192.168.1.1,wireguard\n")
            assert "پرائیویٹ" in bad.faults[0].words

    def test_knows_what_was_meant_where_it_can_mean_one_thing(self) -> None:
        bad, good = judged_of(
            a_company_draft(), "address,protocol\n203.0.113.24:51821,wireguard\n۲۰۳.۰.۱۱۳.۲۵,wireguard\n"
        )
        assert bad.mended is not None
        assert dict(bad.mended.cells) == {"address": "203.0.113.24", "protocol": "wireguard", "port": "51821"}
        assert good.is_good and good.address == "203.0.113.25"

    def test_notes_what_is_accepted_with_a_word(self) -> None:
        range_of, elsewhere = judged_of(
            a_company_draft(), "address,protocol,operator\n203.0.113.0/28,any,\n154.192.0.1,any,AS64500\n"
        )
        assert range_of.is_good and any("16 addresses" in note for note in range_of.notes)
        assert elsewhere.is_good and any("not on our list" in note for note in elsewhere.notes)

    def test_takes_as_many_as_the_policy_gives_an_organisation(self) -> None:
        draft, policy = a_company_draft(), queries.policy_in_force()
        most = policy.limits.endpoints_per_organisation
        text = "address,protocol\n" + "".join(f"2400:adc0:{place:x}::1,wireguard\n" for place in range(most + 1))
        *taken, beyond = judging.judge(draft, table_of(text, most + 1), policy, by=draft.applicant)
        assert most > policy.limits.endpoints_per_application
        assert len(taken) == most and all(each.is_good for each in taken)
        assert "Begin another application" in beyond.faults[0].words


@pytest.mark.django_db
class TestAdd:
    def wanted(self, *addresses: str) -> list[bulk.NewEndpoint]:
        return [bulk.NewEndpoint(parse_block(address), "wireguard", label=f"at {address}") for address in addresses]

    def test_adds_the_good_ones_and_names_the_others(self) -> None:
        draft = a_company_draft()
        register_to(draft.holder_ref, "203.0.113.99")
        added = bulk.add_endpoints(
            application=draft,
            wanted=self.wanted("203.0.113.1", "203.0.113.99", "203.0.113.1", "203.0.113.2"),
            actor=actor_of(draft.applicant),
            now=LATER,
        )
        assert [row.address_text for row in added.endpoints] == ["203.0.113.1", "203.0.113.2"]
        assert {place: trouble.kind.value for place, trouble in added.troubles.items()} == {
            1: "held_by_you",
            2: "duplicate",
        }
        assert [(row.address_text, row.label) for row in queries.endpoints_of(draft)] == [
            ("203.0.113.1", "at 203.0.113.1"),
            ("203.0.113.2", "at 203.0.113.2"),
        ]
        [row] = [row for row in journal.about(draft.subject) if row.act == "apply.added_endpoints"]
        assert row.detail["count"] == 2 and "203.0.113" not in str(row.detail)

    def test_of_a_file_adds_a_row_once_and_keeps_the_others(self) -> None:
        draft = a_company_draft()
        table = table_of("address,protocol\n203.0.113.1,wireguard\n203.0.113.310,wireguard\n")
        file = bulk.keep_file(application=draft, table=table, name="a.csv", now=NOW)
        good = {2: self.wanted("203.0.113.1")[0]}
        common: dict[str, Any] = {"file": file, "good": good, "actor": actor_of(draft.applicant), "now": LATER}
        assert len(bulk.add_from_file(**common).endpoints) == 1
        assert bulk.add_from_file(**common).endpoints == []
        assert [row.line for row in bulk.table_of(AddressFile.objects.get()).rows] == [3]
        assert Endpoint.objects.count() == 1

    def test_wait_so_many_at_most_of_all_applications_of_a_person(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "MOST_FILES", 2)
        person = a_person("manager@sample.example")
        drafts = [a_draft(person, service="vpn_company") for _ in range(2)]
        table, now = table_of("address\n203.0.113.1\n"), timezone.now()
        files = [bulk.keep_file(application=draft, table=table, name="", now=now) for draft in drafts]
        with pytest.raises(bulk.TooManyFiles):
            bulk.keep_file(application=drafts[0], table=table, name="", now=now)
        client = Client(headers={"accept-language": "en"})
        client.force_login(person)
        page = client.post(reverse("apply:add_many", args=[drafts[0].reference]), {"paste": "address\n203.0.113.1\n"})
        assert "2 files are already waiting, which is the limit." in page.text and "203.0.113.1" in page.text
        bulk.forget_file(application=drafts[1], id=files[1].pk)
        bulk.keep_file(application=drafts[0], table=table, name="", now=now)

    def test_does_not_grow_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        draft = a_company_draft()
        file = bulk.keep_file(application=draft, table=table_of("address\nx\n"), name="", now=NOW)
        monkeypatch.setattr(bulk, "MOST_CONTENT", 200)
        with pytest.raises(bulk.FileTooLarge):
            bulk.replace_rows(file=file, rows={2: AddressRow(2, {"address": "x", "label": "y" * 200})})
        assert bulk.table_of(AddressFile.objects.get()).rows[0].cell("label") == ""

    def test_does_not_outlive_its_days_or_its_draft(self) -> None:
        draft = a_company_draft()
        table = table_of("address\n203.0.113.1\n")
        bulk.keep_file(application=draft, table=table, name="", now=NOW)
        assert bulk.delete_old_address_files(now=NOW + bulk.FILES_KEPT) == 0
        assert bulk.delete_old_address_files(now=NOW + bulk.FILES_KEPT * 1.01) == 1
        bulk.keep_file(application=draft, table=table, name="", now=NOW)
        idle_drafts.delete_idle_draft(application=draft, now=LATER.replace(year=2028))
        assert not AddressFile.objects.exists()


def signed_in(draft: Application, language: str = "en") -> Client:
    client = Client(REMOTE_ADDR="198.51.100.7", headers={"accept-language": language})
    client.force_login(draft.applicant)
    return client


def url(name: str, draft: Application, *more: Any) -> str:
    return reverse(f"apply:{name}", args=[draft.reference, *more])


def send(client: Client, draft: Application, text: str, name: str = "branches.csv") -> Any:
    file = SimpleUploadedFile(name, text.encode())
    return client.post(url("add_many", draft), {"rows": file}, follow=True)


@pytest.mark.django_db
class TestPages:
    TEXT = (
        f"{HEAD},city\n203.0.113.24,wireguard,,,Head office,Lahore\n203.0.113.25:1194,openvpn,,,,\n"
        "10.0.0.1,wireguard,,,Store,Multan\n"
    )

    def test_add_what_is_right_and_keep_the_rest(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        assert url("add_many", draft) in client.get(url("addresses", draft), follow=True).content.decode()
        shown = send(client, draft, self.TEXT).content.decode()
        assert "1 of 3 rows can be added now" in shown and "private address" in shown
        assert not queries.endpoints_of(draft).exists()
        file = AddressFile.objects.get()
        here = url("address_file", draft, file.pk)
        shown = client.post(here, {"act": "mend"}, follow=True).content.decode()
        assert "2 addresses were added." in shown and "No row can be added yet" in shown
        assert [(row.address_text, format_parts(row.parts)) for row in queries.endpoints_of(draft)] == [
            ("203.0.113.24", "udp 51820"),
            ("203.0.113.25", "udp 1194"),
        ]
        rest = "address,protocol,label,city\n203.0.113.77,wireguard,Store,Multan\n"
        shown = client.post(here, {"act": "rows", "rows": rest}, follow=True).content.decode()
        assert "1 of 1 rows can be added now" in shown
        shown = client.post(here, {"act": "add"}, follow=True).content.decode()
        assert "1 address was added." in shown and "203.0.113.77" in shown
        assert not AddressFile.objects.exists()
        assert client.post(here, {"act": "add"}).headers["Location"] == url("addresses", draft)
        assert queries.endpoints_of(draft).count() == 3

    def test_give_the_rows_back_with_what_is_wrong(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        send(client, draft, self.TEXT)
        response = client.get(url("corrected_addresses", draft, AddressFile.objects.get().pk))
        assert "attachment" in response.headers["Content-Disposition"]
        text = response.content.decode("utf-8-sig")
        found = list(csv.DictReader(io.StringIO(text)))
        assert [row["address"] for row in found] == ["203.0.113.24", "203.0.113.25", "10.0.0.1"]
        assert found[0]["what_is_wrong"] == "" and found[0]["protocol"] == "wireguard"
        assert "There is a port after the address" in found[1]["what_is_wrong"]
        assert "private address" in found[2]["what_is_wrong"] and found[2]["city"] == "Multan"
        again = send(client, draft, text).content.decode()
        assert "2 of 3 rows can be added now" in again

    def test_give_them_back_as_they_came_but_for_what_is_mended(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        send(client, draft, "address;protocol\n203.0.113.24;OpenVPN\n203.0.113.25:1194;openvpn\n10.0.0.1;wireguard\n")
        id = AddressFile.objects.get().pk
        client.post(
            url("address_file", draft, id), {"drop": "99", "rows": "address;protocol\na;b\n10.0.0.2;wireguard\n"}
        )
        text = client.get(url("corrected_addresses", draft, id)).content.decode("utf-8-sig")
        first, _second, third = csv.DictReader(io.StringIO(text), delimiter=";")
        assert (first["address"], first["protocol"], first["what_is_wrong"]) == ("203.0.113.24", "OpenVPN", "")
        assert "private address" in third["what_is_wrong"] and not re.search("[\u2066-\u2069]", text)

    def test_say_of_a_row_that_was_added_that_it_was(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        for _time in range(2):
            shown = send(client, draft, "address,protocol\n203.0.113.24,wireguard\n").text
            client.post(url("address_file", draft, AddressFile.objects.latest("uploaded_at").pk), {"act": "add"})
        assert "It is already in this application. Leave this row out." in shown
        assert queries.endpoints_of(draft).count() == 1

    def test_say_what_is_wrong_with_a_file_and_keep_what_was_pasted(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        shown = client.post(url("add_many", draft), {"paste": "name\nx"}).content.decode()
        assert "No column has the name" in shown and "name\nx</textarea>" in shown
        assert "Choose a file, or paste the rows" in client.post(url("add_many", draft), {}).content.decode()
        key = send(client, draft, "address\n[Interface]\nPrivateKey = x").content.decode()
        assert "There is a key in the file" in key and not AddressFile.objects.exists()

    def test_want_every_row_back(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        send(client, draft, "address,protocol\n10.0.0.1,wireguard\n10.0.0.2,wireguard\n")
        here = url("address_file", draft, AddressFile.objects.get().pk)
        given = "address,protocol\n203.0.113.1,wireguard\n"
        shown = client.post(here, {"act": "rows", "rows": given}).content.decode()
        assert "Correct the 2 rows here" in shown and "203.0.113.1,wireguard" in shown
        client.post(here, {"act": "forget"})
        assert not AddressFile.objects.exists()

    def test_leave_a_row_out_and_lose_nothing_else(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        three = "".join(f"10.0.0.{host},wireguard\n" for host in (1, 2, 3))
        send(client, draft, f"address,protocol\n203.0.113.24,wireguard\n{three}")
        here = url("address_file", draft, AddressFile.objects.get().pk)
        assert 'name="drop" value="3"' in client.get(here).text and 'name="drop" value="2"' not in client.get(here).text
        # What was typed beside it is kept, with the line of the row that goes or without it.
        typed = "address,protocol\n10.0.0.1,wireguard\n203.0.113.26,wireguard\n10.0.0.3,wireguard\n"
        shown = client.post(here, {"drop": "3", "rows": typed}, follow=True).text
        assert "2 of 3 rows can be added now" in shown and "203.0.113.26" in shown and "10.0.0.1<" not in shown
        shown = client.post(here, {"drop": "99", "rows": "address\n1\n2\n"}).text
        assert "press its button above" in shown
        client.post(here, {"act": "add"})
        shown = client.post(here, {"drop": "5", "rows": "address,protocol\n10.0.0.3,wireguard\n"}, follow=True).text
        assert not AddressFile.objects.exists() and "203.0.113.24" in shown
        assert queries.endpoints_of(draft).count() == 2

    def test_take_the_sample_that_they_give(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        sample = client.get(url("address_sample", draft)).content.decode("utf-8-sig")
        shown = send(client, draft, sample).content.decode()
        assert "rows can be added now" in shown or "works nowhere" in shown
        assert len(table_of(sample).rows) == 3

    def test_are_an_organisations_only(self) -> None:
        draft = a_draft()
        client = signed_in(draft)
        assert client.get(url("add_many", draft)).status_code == 404
        assert url("add_many", draft) not in client.get(url("addresses", draft), follow=True).content.decode()

    def test_show_another_nothing(self) -> None:
        draft = a_company_draft()
        send(signed_in(draft), draft, self.TEXT)
        file = AddressFile.objects.get()
        stranger = signed_in(a_draft(a_person("other@sample.example"), service="vpn_company"))
        for name in ("address_file", "corrected_addresses"):
            assert stranger.get(url(name, draft, file.pk)).status_code == 404
        own = a_draft(a_person("other@sample.example"), service="vpn_company")
        assert stranger.get(url("corrected_addresses", own, file.pk)).status_code == 404

    def test_divide_a_long_list(self) -> None:
        draft = a_company_draft()
        client = signed_in(draft)
        text = "address,protocol\n" + "".join(f"203.0.113.{host},wireguard\n" for host in range(1, 121))
        send(client, draft, text)
        client.post(url("address_file", draft, AddressFile.objects.get().pk), {"act": "add"})
        first = client.get(url("addresses", draft)).content.decode()
        assert "120 addresses in all." in first and "203.0.113.50" in first and "203.0.113.51<" not in first
        assert "203.0.113.120" in client.get(url("addresses", draft) + "?page=3").content.decode()


class TestRow:
    def test_says_whether_the_address_changes(self) -> None:
        assert AddressRow(2, {"changes": "Yes"}).given()["stays"] == "dynamic"
        assert AddressRow(2, {"changes": "no"}).given()["stays"] == "static"
