"""Planned changes: what an operator's page and interface say of one, of its own entries, and that nothing stays."""

import ipaddress
import json
import logging
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files import uploadedfile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from rahdari.address import directory
from rahdari.confirm import tokens
from rahdari.confirm.interface import OPERATORS
from rahdari.maintenance.forms import initial_of
from rahdari.maintenance.models import Work
from rahdari.maintenance.rules import Impact, Reason, State, read_components
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.portal.operators import change_notices
from rahdari.portal.operators import planned_words as words
from rahdari.portal.operators.planned_changes import heading
from rahdari.preflight import (
    EVERY_SORT,
    MOST_BYTES,
    NO_PORT,
    Held,
    PlanError,
    Sorts,
    Syntax,
    Trouble,
    Unread,
    span_of,
)
from rahdari.preflight.space import of_block, union
from rahdari.publish import ceremony, looking_ahead
from rahdari.publish import queries as publish
from rahdari.register.models import Entry
from rahdari.vault import keys
from tests import contract
from tests.builders import publishing, story
from tests.preflight.editions import Edition, looked

pytestmark = pytest.mark.django_db
OURS = ("192.0.2.10/32", "192.0.2.64/26", "2001:db8:7::/64")
THEIRS = "198.51.100.7/32"


@pytest.fixture
def desk(tmp_path: Path, settings: Any) -> User:
    """A person of an operator with three published entries; a fourth is another's."""
    keys.make_missing(Path(settings.DATA) / "keys")
    shutil.copytree(
        settings.DATA / "keys", tmp_path / "data" / "keys", ignore=shutil.ignore_patterns("feed", "offline")
    )
    settings.DATA = tmp_path / "data"
    ceremony.make_feed_keys(offline=settings.DATA / "keys" / "offline", now=publishing.NOW)
    desk = story.an_operator("sample-fibre", "Sample Fibre")
    publishing.an_operator("other-net", asns=[64501])
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("192.0.2.0/24"))])
    publishing.entered(*OURS)
    publishing.entered(THEIRS, asn=64501)
    publishing.publish(timezone.now())
    directory.configure(None)
    return desk


def sent(desk: User, plan: str | bytes = "", *, language: str = "en", **more: Any) -> Any:
    people.set_language(user=desk, language=language)
    client = Client()
    client.force_login(desk)
    file = {"plan": SimpleUploadedFile("plan.txt", plan if isinstance(plan, bytes) else plan.encode())} if plan else {}
    return client.post(reverse("portal:planned_changes"), {**file, **more})


class TestPage:
    def test_counts_first_and_names_entries_of_its_own_networks_alone(self, desk: User) -> None:
        answer = sent(desk, "192.0.2.0/28\n192.0.2.96/27\n198.51.100.0/24\n")
        assert answer.status_code == 200
        assert "1 registered entry would be cut" in answer.text
        assert "192.0.2.10 udp 51820" in answer.text and "192.0.2.64/26 udp 51820" in answer.text
        assert answer.text.index("Registered entries of yours") < answer.text.index("192.0.2.10 udp 51820")
        assert "198.51.100.7" not in answer.text

    def test_of_what_names_nobody_says_no_more_than_that(self, desk: User) -> None:
        answer = sent(desk, "203.0.113.0/24\n", syntax="lines")
        edition = looking_ahead.edition_of(publish.operator_by_slug("sample-fibre"))
        assert f"Of the entries in edition {edition} none is named. This says nothing of anybody else" in answer.text

    @pytest.mark.parametrize(
        ("language", "says"), [("en", "Not judged because of 1 line"), ("ur", "سطر کی وجہ سے جانچا نہیں گیا")]
    )
    def test_calls_nothing_untouched_while_a_line_is_not_read(self, desk: User, language: str, says: str) -> None:
        answer = sent(desk, "203.0.113.0/24\nnothing to read\n", syntax="lines", language=language)
        assert says in answer.text and "none is named" not in answer.text
        if language == "en":
            assert "We do not know the word" in answer.text and "Remove the line" in answer.text
            # The draft of a notice may leave some out, and says so.
            assert "The draft may leave entries out" in sent(desk, "192.0.2.0/24\nnothing\n").text
            assert "The draft may leave entries out" not in sent(desk, "192.0.2.0/24\n").text

    @pytest.mark.parametrize(
        ("language", "says"),
        [("en", "This change cuts everybody whom it does not name"), ("ur", "100 فیصد")],
    )
    def test_of_what_denies_by_default_says_the_share(self, desk: User, language: str, says: str) -> None:
        plan = "table inet f {\nchain f {\ntype filter hook forward priority 0; policy drop;\n}\n}\n"
        answer = sent(desk, plan, language=language)
        assert says in answer.text
        assert "192.0.2.10 udp 51820" in answer.text

    def test_what_is_pasted_is_read_too(self, desk: User) -> None:
        assert "3 registered entries would be cut" in sent(desk, pasted="192.0.2.0/24\n2001:db8::/32").text

    @pytest.mark.parametrize(
        ("plan", "says"),
        [
            ("", "Choose a file with the planned change"),
            (b"\xff\xfe", "is not plain text"),
            ("hello\n", "did not understand its 1 line"),
            (b"192.0.2.1\n" + b"#" * (MOST_BYTES + 100_000), "more than 4 megabytes"),
        ],
    )
    def test_says_beside_the_field_what_is_wrong(self, desk: User, plan: str | bytes, says: str) -> None:
        answer = sent(desk, plan)
        assert answer.status_code == 422 and says in answer.text

    def test_is_for_operators_and_their_own_forms_alone(self, desk: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(desk)
        assert client.post(reverse("portal:planned_changes"), {"pasted": "deny any"}).status_code == 403
        assert Client().get(reverse("portal:planned_changes")).status_code == 302

    def test_is_looked_at_so_often_an_hour(self, desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("rahdari.portal.operators.planned_changes.RATE", 1)
        assert sent(desk, "192.0.2.0/28\n").status_code == 200
        assert sent(desk, "192.0.2.0/28\n").status_code == 429


class TestNothingStays:
    MARK = "zz-never-kept.example"

    def test_in_the_database_in_logs_or_on_the_disk(
        self,
        desk: User,
        settings: Any,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        def no_file(*_: object, **__: object) -> None:
            raise AssertionError("a file on the disk")

        # Django puts a large upload into one; Python's own way to one ends here too.
        monkeypatch.setattr(uploadedfile.TemporaryUploadedFile, "__init__", no_file)
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", no_file)
        caplog.set_level(logging.DEBUG)
        plan = f"203.0.113.99\n{self.MARK}\n" + ("#" * 100 + "\n") * 30_000
        assert len(plan) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE * 2
        large = sent(desk, plan)
        assert large.status_code == 200 and self.MARK in large.text
        assert self.MARK in asked(desk, {"plan": f"203.0.113.99\n{self.MARK}\n"}).content.decode()
        assert self.MARK not in caplog.text and "203.0.113.99" not in caplog.text
        for text in (self.MARK, "203.0.113.99"):
            assert [name for name in connection.introspection.table_names() if self.held(name, text)] == []
        kept = [path for path in tmp_path.rglob("*") if path.is_file() and self.MARK.encode() in path.read_bytes()]
        assert kept == []

    @staticmethod
    def held(name: str, text: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{name}" t WHERE t::text LIKE %s)', [f"%{text}%"])
            return bool(cursor.fetchone()[0])


class TestListed:
    def test_finds_in_the_database_what_is_in_the_list(self, desk: User) -> None:
        operator = publish.operator_by_slug("sample-fibre")
        assert operator is not None
        listed = looking_ahead.Listed(operator)
        blocks = {prefix: ipaddress.ip_network(prefix) for prefix in OURS}
        expected = Edition(Held(name, each.version, span_of(each), "udp", 51820) for name, each in blocks.items())
        assert listed.total() == 3
        of_the_port: Sorts = {"any": ((NO_PORT, NO_PORT),), "udp": ((1, 9), (51820, 51821))}
        for sorts in (EVERY_SORT, of_the_port, {"udp": ((1, 9),)}):
            for version in (4, 6):
                found = [str(each.prefix) for each in listed.some(version, sorts)]
                assert sorted(found) == sorted(each.id for each in expected.some(version, sorts))
                assert listed.count(version, sorts) == len(found)
        for asked_of in ("192.0.2.0/24", "192.0.2.127/32", "192.0.2.128/25", "0.0.0.0/0", "::/0", "198.51.100.0/24"):
            block = of_block(ipaddress.ip_network(asked_of))
            spans = {4: union(block.v4), 6: union(block.v6)}
            found = sorted(str(each.prefix) for each in listed.meeting(spans))
            assert found == sorted(each.id for each in expected.meeting(spans)), asked_of

    def test_what_has_ended_is_in_it_until_an_edition_leaves_it_out(self, desk: User) -> None:
        operator = publish.operator_by_slug("sample-fibre")
        assert operator is not None
        registration = publishing.entered("203.0.113.80/32")
        publishing.publish(timezone.now())
        spans = {4: of_block(ipaddress.ip_network("203.0.113.0/24")).v4, 6: ()}
        assert len(list(looking_ahead.Listed(operator).meeting(spans))) == 1
        publishing.struck_out(registration, now=timezone.now())
        publishing.publish(timezone.now())
        assert list(looking_ahead.Listed(operator).meeting(spans)) == []


def asked(desk: User, body: Any, operator: str = "sample-fibre") -> Any:
    _, key = tokens.make_token(operator=operator, name="Sample", sandbox=False, by="person:x", now=timezone.now())
    client = Client(headers={"authorization": f"Bearer {key}"})
    answer = client.post("/op/v1/preflight", json.dumps(body), content_type="application/json")
    contract.hold(OPERATORS, "post", "/preflight", answer)
    return answer


class TestInterface:
    def test_says_the_same_as_the_page_to_programs(self, desk: User) -> None:
        said = asked(desk, {"plan": "192.0.2.0/28\n192.0.2.96/27\nvpn.example\n"}).json()
        assert (said["entries"], said["cut"], said["affected"], said["not_understood"]) == (3, 1, 1, 1)
        assert [(each["address"], each["state"], each["lines"]) for each in said["found"]] == [
            ("192.0.2.10", "cut", [1]),
            ("192.0.2.64/26", "affected", [2]),
        ]
        assert said["unread"][0]["trouble"] == "host_name"
        assert said["note"] == "This says nothing of anybody else whom the change cuts."

    def test_refuses_with_a_reason(self, desk: User) -> None:
        answer = asked(desk, {"plan": "hello"})
        assert (answer.status_code, answer.json()["reason"]) == (422, "syntax_unknown")
        assert asked(desk, {"plan": "x" * (2 * 2**20)}).status_code == 413
        assert asked(desk, {"plan": "192.0.2.1"}, operator="nobody").status_code == 403


class TestWords:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_there_is_a_sentence_for_everything(self, language: str) -> None:
        with translation.override(language):
            said = [words.trouble(Unread(1, "x", each, "y")) for each in Trouble]
            assert all(what and mend for what, mend in said)
            assert all(words.syntax(each) for each in Syntax)
            for error in PlanError.__subclasses__():
                fields = [name for name in error.__annotations__ if name != "code"]
                assert words.error(error(*("x" if name == "name" else 2**22 for name in fields)))

    def test_a_share_is_never_rounded_to_all_or_none(self) -> None:
        said = [words.share(share) for share in (0, 1e-9, 0.25, 1 - 1e-9, 1)]
        assert said == ["0%", "less than 0.01%", "25.00%", "more than 99.99%", "100%"]


class TestNotice:
    PLAN = "off 192.0.2.0/28\nlimit 2001:db8:7::/64\nzz-never-kept.example\n"

    @staticmethod
    def sent_back(page: str) -> dict[str, str]:
        return dict(re.findall(r'<input type="hidden" name="(cut|affected|reason)" value="([^"]*)">', page))

    def pressed(self, desk: User, given: dict[str, str]) -> Any:
        client = Client()
        client.force_login(desk)
        return client.post(reverse("portal:draft_notice"), given, follow=True)

    def test_one_press_makes_a_draft_with_each_entry_and_what_happens_to_it(self, desk: User) -> None:
        answer = self.pressed(desk, self.sent_back(sent(desk, self.PLAN).text))
        work = Work.objects.get()
        assert answer.redirect_chain[-1][0] == reverse("maintenance:operator_change", args=[work.reference])
        assert "We have told nobody yet" in answer.text
        assert work.operator == publish.operator_by_slug("sample-fibre") and work.state == State.DRAFT
        assert {(str(each.block), each.impact) for each in work.components} == {
            ("192.0.2.10/32", Impact.OUTAGE),
            ("2001:db8:7::/64", Impact.DEGRADED),
        }
        assert (work.reason, bool(work.text_en), bool(work.text_ur)) == (Reason.OTHER, True, True)
        assert work.text_en != work.text_ur and "zz-never-kept" not in answer.text
        # By its address, with the number of the feed beside it: in the form, where it is a note that is read back, and
        # on the page.
        number = Entry.objects.get(block="192.0.2.10/32").feed_id
        assert f"{number}  # 192.0.2.10 udp 51820" in answer.text
        read = read_components(initial_of(work)["affected"], impact=Impact(work.impact), most=9)
        assert isinstance(read, list) and {each.feed_id for each in read} == {each.feed_id for each in work.components}
        page = answer.client.get(reverse("maintenance:operator_work", args=[work.reference])).text
        assert "192.0.2.10 udp 51820" in page and number in page

    def test_of_a_renumbering_gives_that_as_its_reason(self, desk: User) -> None:
        self.pressed(desk, self.sent_back(sent(desk, "renumber 192.0.2.0/28").text))
        assert Work.objects.get().reason == Reason.RENUMBER

    def test_names_nobody_elses_entry(self, desk: User) -> None:
        theirs = Entry.objects.get(block=THEIRS).feed_id
        answer = self.pressed(desk, {"cut": theirs, "affected": "no number", "reason": "?"})
        assert "No entry of your networks has the number" in answer.text and not Work.objects.exists()

    def test_is_not_offered_where_it_cannot_name_all(self, desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(change_notices, "most", lambda: 2)
        page = sent(desk, "192.0.2.0/24\n2001:db8::/32\n").text
        assert self.sent_back(page) == {} and "names 2 entries at most" in page
        assert self.sent_back(sent(desk, "203.0.113.0/24\n").text) == {}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("deny gre any any\n permit ip any any", "This change cuts GRE of everybody whom it does not name"),
        ("deny udp any any\n deny esp any any\n permit ip any any", "This change cuts UDP, ESP of everybody"),
        ("permit ip host 192.0.2.10 any", "This change cuts everybody whom it does not name"),
        ("deny ip any 0.0.0.0 127.255.255.255\n permit ip any any", "This change cuts off most of all addresses"),
    ],
)
def test_the_heading_names_the_protocol_where_one_alone_is_cut(rules: str, said: str) -> None:
    found = looked(f"ip access-list extended X\n {rules}\n")
    assert heading(found).translate(dict.fromkeys((0x2066, 0x2069))).startswith(said)
