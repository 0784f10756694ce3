"""Rosters: what is wrong is named, the rest is in use, and no number or name can be read from the database."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from rahdari.checks import checking, commands, queries, roster_rows, rosters
from rahdari.checks.answers import CheckRequest
from rahdari.checks.models import Check, Roster, RosterLoad, RosterRow
from rahdari.vault import keys

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 10, 9, 31, 40, tzinfo=dt.UTC)
GOOD = """number,name,status,valid_until
0000482,Sample Software House (Pvt) Ltd,active,
0000483,"Example Contact Centre, Ltd",inactive,
484,Specimen Media,,2026-11-09
"""


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(settings.DATA) / "keys")


def imported(folder: Path, content: str | bytes, name: str = "companies", **more: Any) -> rosters.RosterReport:
    path = folder / "roster.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return rosters.import_roster(name=name, path=path, now=NOW, actor="system:test", **more)


def checked(key: str | None, name: str = "Sample Software House (Pvt) Ltd", roster: str = "companies") -> Check:
    request = CheckRequest("roster", roster, roster=roster, key=key, name=name, reason="R2")
    (check,) = checking.open_checks(subject=f"application:{uuid.uuid4()}", requests=[request], now=NOW)
    return check


class TestImportRoster:
    def test_brings_in_what_is_good(self, tmp_path: Path) -> None:
        report = imported(tmp_path, GOOD)
        assert (report.accepted, report.rejected, report.replaced) == (3, [], False)
        assert RosterRow.objects.count() == 3

    def test_names_each_bad_row_and_takes_the_rest(self, tmp_path: Path) -> None:
        bad = [
            b"0000490,Sample One,active,",
            b"nonsense,Sample Two,active,",
            b",Sample Three,active,",
            b"0000491,Sample Four",
            b"0000492,Sample \xff\xfe Five,active,",
            b'0000493,"Sample Six,active,',
            b"0000494,Sample Seven,perhaps,",
            b"0000495,Sample Eight,active,31-02-2026",
            b"490,Sample One again,active,",
            b"",
            b"0000496," + b"x" * 301 + b",active,",
            b"0000497," + b"y" * 70_000 + b",active,",
            b"0000498,Sample Nine,ACTIVE,31/12/2026",
        ]
        report = imported(tmp_path, b"\xef\xbb\xbfNumber, Name ,Status,Valid_until\r\n" + b"\r\n".join(bad))
        assert report.accepted == 1
        assert sorted(report.rejected) == [
            (2, "conflicting"),
            (3, "number_letters"),
            (4, "no_number"),
            (5, "columns"),
            (6, "not_text"),
            (7, "not_text"),
            (8, "status"),
            (9, "valid_until"),
            (10, "conflicting"),
            (12, "name_too_long"),
            (13, "not_text"),
        ]
        assert report.rejected_count == len(report.rejected)
        assert checked("490", "Sample One").finding == "not_listed"
        assert checked("498", "Sample Nine").outcome == "passed"

    def test_replaces_the_import_before(self, tmp_path: Path) -> None:
        imported(tmp_path, GOOD)
        assert checked("482").outcome == "passed"
        assert imported(tmp_path, "number,name\n0000499,Sample Other\n").replaced
        assert checked("482").finding == "not_listed"
        assert RosterRow.objects.count() == 1
        assert Roster.objects.filter(in_use=True).count() == 1

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "header"),
            (b"name,status\nx,y\n", "header"),
            (b"\xff\xfen\x00u\x00", "header"),
            (b"number,name,number\n1,x,2\n", "header"),
            (b"number,name\nbad,row\n", "no_good_row"),
            (b"number,name\n", "no_good_row"),
        ],
    )
    def test_that_is_no_roster_changes_nothing(self, tmp_path: Path, content: bytes, reason: str) -> None:
        imported(tmp_path, GOOD)
        with pytest.raises(rosters.RosterUnusable) as unusable:
            imported(tmp_path, content)
        assert unusable.value.reason == reason
        assert checked("482").outcome == "passed"

    def test_of_a_file_that_is_not_there_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(rosters.RosterUnusable, match="missing"):
            rosters.import_roster(name="companies", path=tmp_path / "no", now=NOW, actor="system:test")

    def test_of_an_unknown_name_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(rosters.UnknownRoster):
            imported(tmp_path, GOOD, name="everybody")

    def test_lists_a_thousand_and_counts_all(self, tmp_path: Path) -> None:
        lines = "".join(f"bad{number},x\n" for number in range(1500))
        seen: list[int] = []
        report = imported(
            tmp_path, f"number,name\n1,Sample\n{lines}", on_finding=lambda line, _reason, _other: seen.append(line)
        )
        assert (len(report.rejected), report.rejected_count, len(seen)) == (1000, 1500, 1500)

    def test_stores_no_number_and_no_name(self, tmp_path: Path) -> None:
        imported(tmp_path, "number,name\n35202-1234567-1,Sample Freelancer 31\n", name="active_taxpayers")
        checked("3520212345671", "Sample Freelancer 31", "active_taxpayers")
        with connection.cursor() as cursor:
            for table in ("checks_roster", "checks_rosterrow", "checks_check", "journal_journalentry"):
                cursor.execute(f"SELECT t::text FROM {table} t")
                stored = "\n".join(row for (row,) in cursor.fetchall())
                assert "1234567" not in stored
                assert "Freelancer" not in stored
        row = RosterRow.objects.get()
        assert (row.name, row.name_key) == ("Sample Freelancer 31", None)

    def test_finds_the_names_of_firms_alone_and_of_the_list_in_use(self, tmp_path: Path) -> None:
        people = "number,name\n3520212345671,Sample Freelancer 31\n"
        imported(tmp_path, people, name="active_taxpayers")
        imported(tmp_path, people.replace("3520212345671", "M-0031"), name="association_members")
        imported(tmp_path, GOOD)
        found = ["SAMPLE Software House", "Specimen Media", "Sample Freelancer 31", "Sample Other"]
        assert [queries.is_a_firms_name(each) for each in found] == [True, True, False, False]
        imported(tmp_path, "number,name\n0000499,Sample Other\n")
        assert [queries.is_a_firms_name(each) for each in found] == [False, False, False, True]


class TestWhatIsWrongInARow:
    """Each finding has its line and its reason; only what contradicts itself needs a person."""

    @pytest.mark.parametrize(
        ("roster", "row", "reason"),
        [
            ("companies", "0000764,,active", "no_name"),
            ("companies", "0000764, - ,active", "no_name"),
            ("companies", "00OO764,Sample Bank,active", "number_letters"),
            ("companies", "12345678,Sample Bank,active", "number_length"),
            ("companies", "0000000,Sample Bank,active", "number_shape"),
            ("companies", "0000*64,Sample Bank,active", "number_shape"),
            ("active_taxpayers", "123456,Sample Bank,active", "number_length"),
            ("active_taxpayers", "12345l7,Sample Bank,active", "number_letters"),
            ("association_members", "M1,Sample Bank,active", "number_length"),
        ],
    )
    def test_is_said_and_the_row_left_out(self, tmp_path: Path, roster: str, row: str, reason: str) -> None:
        report = imported(tmp_path, f"number,name,status\n0000001,Sample One,\n{row}\n", name=roster)
        assert (report.accepted, report.rejected) == (1, [(3, reason)])

    @pytest.mark.parametrize("number", ["SAMPLE-O031", "M-O0024", "12O4", "7l3", "S/I9"])
    def test_a_letter_that_looks_like_a_figure_is_remarked_and_the_row_stays(self, tmp_path: Path, number: str) -> None:
        report = imported(tmp_path, f"number,name\n{number},Sample One\n", name="association_members")
        assert (report.accepted, report.rejected, report.remarks) == (1, [], [(2, "look_alike")])

    @pytest.mark.parametrize("number", ["SAMPLE-0031", "PSO-12", "FPCCI0023", "MINI12", "SOIL/77"])
    def test_an_ordinary_number_of_an_association_is_not(self, tmp_path: Path, number: str) -> None:
        report = imported(tmp_path, f"number,name\n{number},Sample One\n", name="association_members")
        assert (report.accepted, report.remarked) == (1, 0)

    def test_rows_that_are_the_same_count_once_and_rows_that_differ_not_at_all(self, tmp_path: Path) -> None:
        rows = ["482,Sample One", "483,Sample Two", "0000482,Sample One", "483,Sample Three", "484,Sample Four"]
        found: list[tuple[int, str, int | None]] = []
        report = imported(
            tmp_path, "\n".join(["number,name", *rows]), on_finding=lambda *finding: found.append(finding)
        )
        assert report.accepted == 2
        assert found == [(3, "conflicting", 5), (4, "repeated", 2), (5, "conflicting", 3)]
        assert checked("483", "Sample Two").finding == "not_listed"
        assert checked("482", "Sample One").outcome == "passed"

    def test_a_contact_that_is_none_is_remarked_and_left_out(self, tmp_path: Path) -> None:
        report = imported(
            tmp_path,
            "number,name,email,mobile,domain\n1,Sample One,nobody,12,nowhere\n"
            "2,Sample Two,Office@Sample.example,0300 0000001,https://www.Sample.example/\n",
        )
        assert (report.accepted, report.remarks) == (2, [(2, "email"), (2, "mobile"), (2, "domain")])
        bare, whole = (queries.look_up("companies", number) for number in "12")
        assert bare is not None and (bare.email, bare.mobile, bare.has_domain) == ("", "", False)
        assert whole is not None and (whole.email, whole.mobile) == ("office@sample.example", "+923000000001")
        assert queries.is_domain_of(whole, "sample.example") and not queries.is_domain_of(whole, "other.example")

    def test_no_contact_can_be_read_from_the_database(self, tmp_path: Path) -> None:
        imported(
            tmp_path, "number,name,email,mobile,domain\n2,Sample,office@sample.example,03000000001,sample.example\n"
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text FROM checks_rosterrow t")
            stored = "\n".join(row for (row,) in cursor.fetchall())
        assert "sample" not in stored and b"sample".hex() not in stored and b"3000000001".hex() not in stored


class CutOff(Exception):
    pass


class TestLargeRoster:
    """Read in pieces, here of a few lines each, as one of millions is."""

    @pytest.fixture(autouse=True)
    def small_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(roster_rows, "PIECE", 100)

    def rows(self, count: int) -> str:
        return "number,name\n" + "".join(f"{number},Sample Member {number}\n" for number in range(1, count + 1))

    def test_is_taken_row_for_row_whatever_the_pieces(self, tmp_path: Path) -> None:
        report = imported(tmp_path, self.rows(60) + "7,Sample Member 7\nbad,x\n61,Sample Last")
        assert (report.accepted, report.rejected) == (61, [(62, "repeated"), (63, "number_letters")])
        for number in (1, 7, 60, 61):
            found = queries.look_up("companies", str(number))
            assert found is not None
            assert found.name == ("Sample Last" if number == 61 else f"Sample Member {number}")

    def test_that_was_cut_off_goes_on_where_it_was_and_is_in_use_only_whole(self, tmp_path: Path) -> None:
        imported(tmp_path, GOOD)

        def stop(lines: int, share: float) -> None:
            if share > 0.5:
                raise CutOff

        content = "bad,x\n".join(["number,name\n", *self.rows(60).splitlines(keepends=True)[1:]]) + "bad,x\n"
        with pytest.raises(CutOff):
            imported(tmp_path, content, on_progress=stop)
        first = RosterLoad.objects.get()
        assert 40 < first.line < 120
        assert RosterRow.objects.count() == 3 and checked("482").outcome == "passed"

        told: list[int] = []
        report = imported(tmp_path, content, on_progress=lambda lines, share: told.append(lines))
        assert report.resumed_at == first.line and told[0] >= first.line - 1
        assert (report.accepted, report.rejected_count, report.replaced) == (60, 61, True)
        assert not RosterLoad.objects.exists() and RosterRow.objects.count() == 60

    def test_of_another_file_begins_anew(self, tmp_path: Path) -> None:
        def tables() -> set[str]:
            with connection.cursor() as cursor:
                cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^checks_rosterrow_[0-9a-f]{32}$'")
                return {name for (name,) in cursor.fetchall()}

        before = tables()

        def stop(lines: int, share: float) -> None:
            raise CutOff

        with pytest.raises(CutOff):
            imported(tmp_path, self.rows(60), on_progress=stop)
        assert imported(tmp_path, self.rows(50)).accepted == 50
        assert not RosterLoad.objects.exists() and RosterRow.objects.count() == 50
        assert len(tables() - before) == 1

    def test_is_read_by_several_processes_with_the_same_outcome(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rosters, "WORTH_SHARING", 1)
        report = imported(tmp_path, self.rows(60) + "bad,x\n", processes=2)
        assert (report.accepted, report.rejected) == (60, [(62, "number_letters")])
        found = queries.look_up("companies", "60")
        assert found is not None and found.name == "Sample Member 60"

    def test_with_a_line_without_an_end_is_read_in_bounded_memory(self, tmp_path: Path) -> None:
        report = imported(tmp_path, "number,name\n1,Sample One\n" + "2," + "x" * 300_000 + "\n3,Sample Three\n")
        assert (report.accepted, report.rejected) == (2, [(3, "not_text")])


class TestRosterCheck:
    @pytest.mark.parametrize(
        ("key", "name", "finding", "reason_code"),
        [
            ("482", "SAMPLE SOFTWARE HOUSE PRIVATE LIMITED", "listed", ""),
            ("482", "Sample Software House", "listed", ""),
            ("482", "Another House (Pvt) Ltd", "listed_under_another_name", "R2"),
            ("0000483", "Example Contact Centre, Ltd", "listed_not_active", "R2"),
            ("0000484", "Specimen Media", "listed_expired", "R2"),
            ("0000999", "Sample Software House", "not_listed", "R2"),
            ("not a number", "Sample Software House", "not_listed", "R2"),
            (None, "Sample Software House", "no_number", ""),
            ("482", "", "listed_without_a_name", ""),
            ("482", "???", "listed_without_a_name", ""),
        ],
    )
    def test_answers(self, tmp_path: Path, key: str | None, name: str, finding: str, reason_code: str) -> None:
        imported(tmp_path, GOOD)
        check = checked(key, name)
        assert (check.finding, check.reason_code) == (finding, reason_code)
        assert check.outcome == ("passed" if finding == "listed" else "failed")

    def test_without_a_roster_goes_to_a_person_and_blames_nobody(self) -> None:
        check = checked("482")
        assert (check.outcome, check.finding, check.reason_code) == ("failed", "no_roster", "")

    def test_shows_an_officer_the_row_while_it_is_in_use(self, tmp_path: Path) -> None:
        imported(tmp_path, GOOD)
        check = checked("482", "Another House")
        row = queries.row_behind(check)
        assert row is not None
        assert row.name == "Sample Software House (Pvt) Ltd"
        imported(tmp_path, "number,name\n1,Sample Other\n")
        assert queries.row_behind(check) is None


class TestCommand:
    def run(self, *words: str) -> int:
        import argparse

        parser = argparse.ArgumentParser()
        commands.register(parser.add_subparsers())
        options = parser.parse_args(["roster", *words])
        return int(options.run(options))

    def test_lists_what_was_not_taken(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "companies.csv"
        path.write_text(GOOD + "x,Sample Bad,active,\n")
        assert self.run("import", "companies", str(path)) == 0
        told = capsys.readouterr().out
        assert "3 rows in use, 1 rejected" in told
        assert "line 5: letters stand in the number" in told
        listed = (tmp_path / "companies.csv.rejected.csv").read_text()
        assert listed.splitlines()[1].startswith("5,")
        assert "Sample Bad" not in listed
        assert self.run("status") == 0
        told = capsys.readouterr().out
        assert "companies: 3 rows" in told
        assert "active_taxpayers: none" in told

    def test_lists_the_rows_of_a_file_of_which_none_can_be_used(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "companies.csv"
        path.write_text("number,name\nbad,Sample Row\n,Sample Nobody\n")
        assert self.run("import", "companies", str(path)) == 1
        told = capsys.readouterr().err
        assert "has no row that can be used. The roster companies in use stays as it is." in told
        assert "line 2: letters stand in the number" in told and "line 3: no number" in told
        assert (tmp_path / "companies.csv.rejected.csv").read_text().count("\n") == 3
        assert not list(tmp_path.glob("*.new"))

    @pytest.mark.parametrize("content", ["wrong,header\n", "", "number,name\n"])
    def test_says_why_a_file_cannot_be_used(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
    ) -> None:
        path = tmp_path / "companies.csv"
        path.write_text(content)
        assert self.run("import", "companies", str(path)) == 1
        assert "in use stays as it is" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == [path]
