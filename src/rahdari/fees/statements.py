"""Reads a bank's statement: camt.053 (ISO 20022) of any version, or CSV. Pure: bytes in, credits and faults out.

Nothing of a file is taken unless all of it could be read: a fault names its line or its entry, and how to mend it.
Only booked credits count; debits, reversals and what is pending are passed over and counted.
"""

import csv
import datetime as dt
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree

from .rules import CENT, Money

LARGEST_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 100_000
# Of an entry there are about twenty-five.
MOST_ELEMENTS, DEEPEST = 2_500_000, 40
LONGEST_TEXT = 500


@dataclass(frozen=True)
class Fault:
    """`line` is a line of a CSV file, or the number of an entry of a camt file; 0 is the file as a whole."""

    line: int
    what: str
    value: str = ""


class Unreadable(Exception):
    """The file was not taken. `.faults` says why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True)
class Read:
    form: str  # camt.053 | csv
    account: str
    credits: list[Money]
    passed_over: int = 0
    sha256: str = field(default="", repr=False)


def read(content: bytes) -> Read:
    """Raises Unreadable."""
    if len(content) > LARGEST_BYTES:
        raise Unreadable([Fault(0, "too_big")])
    bare = content.lstrip(b"\xef\xbb\xbf \r\n\t")
    if not bare:
        raise Unreadable([Fault(0, "empty")])
    found = _camt(content) if bare.startswith(b"<") else _csv(content)
    return Read(found.form, found.account, found.credits, found.passed_over, hashlib.sha256(content).hexdigest())


# -- camt.053 --------------------------------------------------------------------------------------------------------


class _Tree(ElementTree.TreeBuilder):
    _elements = _depth = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> ElementTree.Element:
        self._elements += 1
        self._depth += 1
        if self._elements > MOST_ELEMENTS or self._depth > DEEPEST:
            raise Unreadable([Fault(0, "too_many" if self._depth <= DEEPEST else "not_camt")])
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, *_: object) -> None:
        raise Unreadable([Fault(0, "not_camt")])


def _camt(content: bytes) -> Read:
    parser = ElementTree.XMLParser(target=_Tree())  # noqa: S314 - see _Tree
    try:
        parser.feed(content)
        root = parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise Unreadable([Fault(0, "not_xml")]) from error
    for element in root.iter():
        # Each version has a namespace of its own; the names that are read here are the same in all.
        element.tag = element.tag.rpartition("}")[2]
    statements = root.findall("./BkToCstmrStmt/Stmt")
    if root.tag != "Document" or not statements:
        raise Unreadable([Fault(0, "not_camt")])
    faults: list[Fault] = []
    credits: list[Money] = []
    passed_over = number = 0
    accounts = {_account(statement) for statement in statements}
    if len(accounts) != 1:
        raise Unreadable([Fault(0, "several_accounts")])
    [account] = accounts
    for statement in statements:
        for entry in statement.findall("Ntry"):
            number += 1
            if number > MOST_ENTRIES:
                raise Unreadable([Fault(0, "too_many")])
            if not _counts(entry):
                passed_over += 1
                continue
            try:
                credits += _credits(entry, number)
            except _Bad as bad:
                faults.append(Fault(number, bad.what, bad.value))
    return _whole("camt.053", account, credits, passed_over, faults)


def _account(statement: ElementTree.Element) -> str:
    return _text(statement, "Acct/Id/IBAN") or _text(statement, "Acct/Id/Othr/Id")


def _counts(entry: ElementTree.Element) -> bool:
    status = _text(entry, "Sts/Cd") or _text(entry, "Sts") or "BOOK"
    return (
        status == "BOOK"
        and _text(entry, "CdtDbtInd") == "CRDT"
        and _text(entry, "RvslInd").lower() not in {"true", "1"}
    )


def _credits(entry: ElementTree.Element, number: int) -> Iterator[Money]:
    """An entry is one payment, or a batch of several with an amount each."""
    booked = _day((_text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm"))[:10])
    amount = entry.find("Amt")
    bank_id = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    details = entry.findall("NtryDtls/TxDtls")
    if amount is None:
        raise _Bad("amount")
    if len(details) < 2:
        [detail] = details or [entry]
        own = _text(detail, "Refs/AcctSvcrRef") or bank_id or _text(detail, "Refs/TxId")
        yield _money(number, own, booked, amount, entry, detail)
        return
    for place, detail in enumerate(details, start=1):
        part = detail.find("Amt")
        if part is None:
            part = detail.find("AmtDtls/TxAmt/Amt")
        if part is None:
            raise _Bad("batch_without_amounts")
        own = (
            _text(detail, "Refs/AcctSvcrRef") or _text(detail, "Refs/TxId") or (f"{bank_id}/{place}" if bank_id else "")
        )
        yield _money(number, own, booked, part, entry, detail)


def _money(
    number: int,
    bank_id: str,
    booked: dt.date,
    amount: ElementTree.Element,
    entry: ElementTree.Element,
    detail: ElementTree.Element,
) -> Money:
    if not bank_id:
        raise _Bad("no_bank_id")
    words = [found.text or "" for found in detail.findall("RmtInf/Ustrd")]
    words += [found.text or "" for found in detail.findall("RmtInf/Strd/CdtrRefInf/Ref")]
    words += [_text(detail, "Refs/EndToEndId"), _text(detail, "AddtlTxInf")]
    if not any(words):
        words = [_text(entry, "AddtlNtryInf")]
    payer = _text(detail, "RltdPties/Dbtr/Nm") or _text(detail, "RltdPties/Dbtr/Pty/Nm")
    text = " ".join(word.strip() for word in words if word.strip() and word.strip() != "NOTPROVIDED")
    return Money(
        number,
        bank_id[:80],
        booked,
        _amount(amount.text or ""),
        _currency(amount.get("Ccy", "")),
        text[:LONGEST_TEXT],
        payer[:LONGEST_TEXT],
    )


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


# -- CSV -------------------------------------------------------------------------------------------------------------

COLUMNS = {
    "bank_id": ("transaction", "transaction id", "bank reference", "id"),
    "booked_on": ("date", "booking date", "booked on", "value date"),
    "amount": ("amount", "credit"),
    "currency": ("currency", "ccy"),
    "text": ("reference", "description", "details", "narration", "remittance"),
    "payer": ("payer", "name", "from", "sender"),
}
NEEDED = ("bank_id", "booked_on", "amount", "text")


def _csv(content: bytes) -> Read:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable([Fault(0, "not_text")]) from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    faults: list[Fault] = []
    credits: list[Money] = []
    passed_over = 0
    try:
        places = _columns(next(rows, []))
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(credits) + passed_over >= MOST_ENTRIES:
                raise Unreadable([Fault(0, "too_many")])
            values = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
            try:
                money = _row(rows.line_num, values)
            except _Bad as bad:
                faults.append(Fault(rows.line_num, bad.what, bad.value))
                continue
            if money is None:
                passed_over += 1
            else:
                credits.append(money)
    except csv.Error:
        raise Unreadable([Fault(rows.line_num, "not_csv")]) from None
    return _whole("csv", "", credits, passed_over, faults)


def _columns(header: list[str]) -> dict[str, int]:
    given = [re.sub(r"[\s_]+", " ", cell).strip().lower() for cell in header]
    places = {name: next((given.index(word) for word in words if word in given), -1) for name, words in COLUMNS.items()}
    missing = [name for name in NEEDED if places[name] < 0]
    if missing:
        raise Unreadable([Fault(1, f"column_{name}") for name in missing])
    return {name: place for name, place in places.items() if place >= 0}


def _row(line: int, values: dict[str, str]) -> Money | None:
    if not values["amount"]:
        return None  # a debit, in a file with a column for each
    amount = _amount(values["amount"])
    if amount <= 0:
        return None
    if not values["bank_id"]:
        raise _Bad("no_bank_id")
    return Money(
        line,
        values["bank_id"][:80],
        _day(values["booked_on"]),
        amount,
        _currency(values.get("currency", "") or "PKR"),
        values["text"][:LONGEST_TEXT],
        values.get("payer", "")[:LONGEST_TEXT],
    )


# -- both ------------------------------------------------------------------------------------------------------------


class _Bad(Exception):
    def __init__(self, what: str, value: str = "") -> None:
        super().__init__(what)
        self.what, self.value = what, value[:40]


def _whole(form: str, account: str, credits: list[Money], passed_over: int, faults: list[Fault]) -> Read:
    seen: dict[str, int] = {}
    for money in credits:
        if money.bank_id in seen:
            faults.append(Fault(money.line, "twice_in_the_file", money.bank_id))
        seen[money.bank_id] = money.line
    if faults:
        raise Unreadable(sorted(faults, key=lambda fault: fault.line))
    return Read(form, account, credits, passed_over)


def _amount(text: str) -> Decimal:
    """2400, 2400.00 and 2,400.00; a comma before two last digits is a decimal mark as well."""
    bare = re.sub(r"[\s\u00a0]", "", text)
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})*,\d{2}", bare) or re.fullmatch(r"-?\d+,\d{2}", bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"-?\d{1,3}(,\d{2,3})*(\.\d+)?", bare):
        bare = bare.replace(",", "")
    try:
        amount = Decimal(bare) if re.fullmatch(r"-?\d+(\.\d+)?", bare) else None
        if amount is None or amount != amount.quantize(CENT) or abs(amount) >= 10**10:
            raise _Bad("amount", text)
        return amount.quantize(CENT)
    except InvalidOperation:
        raise _Bad("amount", text) from None


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise _Bad("currency", text)
    return text.upper()


def _day(text: str) -> dt.date:
    for form in ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day of the bank's
        except ValueError:
            continue
    raise _Bad("date", text)
