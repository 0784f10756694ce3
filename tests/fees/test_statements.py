"""Statements are read whole or not at all, and each fault says where it is."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.fees import statements
from rahdari.fees.statements import Unreadable, read

CAMT = (Path(__file__).parent / "statements" / "sample.camt053.xml").read_bytes()
CSV = b'Transaction,Date,Amount,Currency,Reference,Payer\nT1,2026-11-23,"2,400.00",PKR,RF00,Sample Company\n'


def faults_of(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(Unreadable) as caught:
        read(content)
    return [(fault.line, fault.what) for fault in caught.value.faults]


class TestCamt:
    def test_gives_booked_credits_each_part_of_a_batch_for_itself(self) -> None:
        found = read(CAMT)
        assert (found.form, found.account, found.passed_over) == ("camt.053", "PK00SAMP0000000000004711", 2)
        assert [(each.bank_id, each.amount, each.currency) for each in found.credits] == [
            ("SB-0001", Decimal("2400.00"), "PKR"),
            ("B1", Decimal("400.00"), "PKR"),
            ("B2", Decimal("500.00"), "PKR"),
        ]
        first = found.credits[0]
        assert (first.booked_on, first.text) == (dt.date(2026, 11, 23), "Fee, REFERENCE")
        assert first.payer == "Sample Call Centre (Pvt) Ltd"
        assert found.credits[1].text == "RF00OTHER"

    @pytest.mark.parametrize("version", ["camt.053.001.02", "camt.053.001.13"])
    def test_of_another_version_is_read_the_same(self, version: str) -> None:
        old = CAMT.replace(b"camt.053.001.08", version.encode()).replace(
            b"<Sts><Cd>BOOK</Cd></Sts>", b"<Sts>BOOK</Sts>"
        )
        old = old.replace(b"<Pty><Nm>", b"<Nm>").replace(b"</Nm></Pty>", b"</Nm>")
        assert read(old).credits == read(CAMT).credits

    @pytest.mark.parametrize(
        ("old", "new", "fault"),
        [
            (b">2400.00<", b">24oo<", (1, "amount")),
            (b"<AcctSvcrRef>SB-0001</AcctSvcrRef>", b"", (1, "no_bank_id")),
            (b'<Amt Ccy="PKR">400.00</Amt>', b"", (2, "batch_without_amounts")),
            (b"<TxId>B2</TxId>", b"<TxId>B1</TxId>", (2, "twice_in_the_file")),
            (b"2026-11-23</Dt></BookgDt><AcctSvcrRef>SB-0001", b"soon</Dt></BookgDt><AcctSvcrRef>SB-0001", (1, "date")),
            (b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn", (0, "not_camt")),
            (b"</Document>", b"", (0, "not_xml")),
        ],
    )
    def test_with_a_fault_is_not_taken_in(self, old: bytes, new: bytes, fault: tuple[int, str]) -> None:
        assert fault in faults_of(CAMT.replace(old, new))

    def test_with_entities_is_refused_before_they_are_expanded(self) -> None:
        bomb = b'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Document>&b;</Document>'
        assert faults_of(bomb) == [(0, "not_camt")]


class TestCsv:
    def test_gives_credits_by_the_names_of_its_columns(self) -> None:
        found = read(CSV)
        [money] = found.credits
        assert (money.bank_id, money.amount, money.payer) == ("T1", Decimal("2400.00"), "Sample Company")

    @pytest.mark.parametrize("amount", ["2400", "2400.00", '"2,400.00"', '"2400,00"', '"2.400,00"', '"2 400.00"'])
    def test_reads_amounts_as_people_write_them(self, amount: str) -> None:
        content = f"Transaction,Date,Amount,Reference\nT1,23/11/2026,{amount},x\n".encode()
        assert [money.amount for money in read(content).credits] == [Decimal("2400.00")]

    def test_passes_over_debits(self) -> None:
        content = "Transaction;Date;Credit;Details\nT1;2026-11-23;;x\nT2;2026-11-23;-5.00;x\nT3;2026-11-23;5.00;x\n"
        found = read(content.encode())
        assert (len(found.credits), found.passed_over) == (1, 2)

    def test_tells_each_fault_by_its_line(self) -> None:
        content = b"Transaction,Date,Amount,Reference\nT1,soon,5,x\n,2026-11-23,5,x\nT3,2026-11-23,five,x\n"
        assert faults_of(content) == [(2, "date"), (3, "no_bank_id"), (4, "amount")]

    def test_tells_columns_that_are_missing(self) -> None:
        assert faults_of(b"Name,Amount\nx,5\n") == [
            (1, "column_bank_id"),
            (1, "column_booked_on"),
            (1, "column_text"),
        ]

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            (b"", "empty"),
            (b"\xef\xbb\xbf", "empty"),
            (b"\xff\xfe\x00", "not_text"),
            (b"x" * (statements.LARGEST_BYTES + 1), "too_big"),
        ],
    )
    def test_that_is_no_text_is_told(self, content: bytes, fault: str) -> None:
        assert faults_of(content) == [(0, fault)]


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_read_or_told(content: bytes) -> None:
    for prefix in (b"", b"<Document>", b"Transaction,Date,Amount,Reference\n"):
        assert outcome_of(prefix + content)


def outcome_of(content: bytes) -> str:
    """Read, or told what is wrong; nothing else may be thrown."""
    try:
        return read(content).form
    except Unreadable as error:
        return ", ".join(fault.what for fault in error.faults)
