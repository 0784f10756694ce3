"""An operator's message centre, over SMPP 3.4, by smpplib.

Invariants: one session for each process, used by one thread at a time; a part that was handed over and not answered
for makes the whole message `Unclear`; a report is confirmed to the centre after it was recorded and not before, so
that it comes again if it was not. What the centre writes is never logged.
"""

import contextlib
import datetime as dt
import logging
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts, exceptions, smpp
from smpplib.client import Client

from rahdari.sms import segments

from . import Accepted, Away, Outcome, Refused, Report, Text, Told, Unclear

PATIENCE = 10.0
# A session that was silent for so long is asked whether it is still there before a message is trusted to it.
IDLE = 5.0
BUSY = frozenset({consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL, consts.SMPP_ESME_RSYSERR})
# SMPP 3.4, 5.2.28 and appendix B: states of a message, in a parameter or in the text of a receipt.
STATES = {
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
    1: "ENROUTE",
}
WAITING = frozenset({"ENROUTE", "ACCEPTD"})
RECEIPT = re.compile(r"id:(\S+).*?stat:(\S+)(?:.*?err:(\S+))?", re.DOTALL | re.IGNORECASE)
_GONE = (exceptions.ConnectionError, OSError, exceptions.UnknownCommandError)

log = logging.getLogger(__name__)
# The library writes whole packets into its log, in hexadecimal.
logging.getLogger("rahdari.smpp").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Centre:
    name: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    source: str = "Rahdari"
    system_type: str = ""
    tls: bool = False
    # Some centres answer with a hexadecimal number and report on the same number written decimally.
    receipt_numbers: str = "same"  # or "decimal"


class _Session(Client):  # type: ignore[misc]
    """smpplib's client, for both families of addresses and with the name of the centre checked in TLS."""

    def _create_socket(self) -> Any:
        raw = socket.create_connection((self.host, self.port), timeout=self.timeout)
        return raw if self._ssl_context is None else self._ssl_context.wrap_socket(raw, server_hostname=self.host)

    def connect(self) -> None:
        self._socket = self._create_socket()
        self.state = consts.SMPP_CLIENT_STATE_OPEN

    def wait(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class SmppProvider:
    def __init__(self, centre: Centre, *, told: Told) -> None:
        self.centre, self.told = centre, told
        self.name = centre.name
        self._one = threading.RLock()
        self._session: _Session | None = None
        self._heard_at = 0.0
        self._group = 0
        self._now: dt.datetime | None = None

    # -- the session -----------------------------------------------------------------------------------------------

    def _open(self) -> _Session:
        if self._session is not None:
            return self._session
        context = ssl.create_default_context() if self.centre.tls else None
        session = _Session(
            self.centre.host,
            self.centre.port,
            timeout=PATIENCE,
            logger_name="rahdari.smpp",
            ssl_context=context,
            allow_unknown_opt_params=True,
        )
        try:
            session.connect()
            session.bind_transceiver(
                system_id=self.centre.system_id, password=self.centre.password, system_type=self.centre.system_type
            )
        except BaseException:
            session.end()
            raise
        self._session, self._heard_at = session, time.monotonic()
        return session

    def _shut(self) -> None:
        if self._session is not None:
            self._session.end()
            self._session = None

    def close(self) -> None:
        with self._one:
            if self._session is not None:
                with contextlib.suppress(*_GONE):
                    self._session.send_pdu(smpp.make_pdu("unbind", client=self._session))
                self._shut()

    def _ready(self) -> _Session:
        """A session that answers. Raises what the library and the network raise."""
        session = self._open()
        if time.monotonic() - self._heard_at > IDLE:
            try:
                asked = smpp.make_pdu("enquire_link", client=session)
                session.send_pdu(asked)
                self._until(session, asked.sequence)
            except _GONE:
                self._shut()
                session = self._open()
        return session

    def _until(self, session: _Session, sequence: int) -> Any:
        """The answer to one of ours; what else comes in the meantime is dealt with."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            session.wait(left)
            pdu = session.read_pdu()
            self._heard_at = time.monotonic()
            if pdu.command in {"submit_sm_resp", "enquire_link_resp", "generic_nack"} and pdu.sequence == sequence:
                return pdu
            self._deal_with(session, pdu)
        raise TimeoutError

    # -- sending ---------------------------------------------------------------------------------------------------

    def send(self, text: Text, *, now: dt.datetime) -> Outcome:
        with self._one:
            self._now = now
            try:
                session = self._ready()
            except exceptions.PDUError as error:
                return Away(f"not let in (SMPP {error.args[-1]})")
            except _GONE:
                return Away("not reached")
            try:
                return self._submit(session, text)
            except (*_GONE, exceptions.PDUError) as error:
                self._shut()
                return Unclear(f"no answer ({type(error).__name__})")

    def _submit(self, session: _Session, text: Text) -> Outcome:
        parts = segments.split(text.body)
        self._group = self._group % 255 + 1
        references: list[str] = []
        for number, content in enumerate(parts.contents, 1):
            # 3GPP TS 23.040, 9.2.3.24.1: which message, how many parts, which of them.
            header = bytes((5, 0, 3, self._group, parts.count, number)) if parts.count > 1 else b""
            sent = session.send_message(
                source_addr_ton=consts.SMPP_TON_ALNUM if not self.centre.source.isdigit() else consts.SMPP_TON_UNK,
                source_addr_npi=consts.SMPP_NPI_UNK,
                source_addr=self.centre.source,
                dest_addr_ton=consts.SMPP_TON_INTL,
                dest_addr_npi=consts.SMPP_NPI_ISDN,
                destination_addr=text.to.removeprefix("+"),
                esm_class=consts.SMPP_GSMFEAT_UDHI if header else 0,
                data_coding=consts.SMPP_ENCODING_ISO10646 if parts.alphabet == "ucs2" else 0,
                registered_delivery=1,
                short_message=header + content,
            )
            answer = self._until(session, sent.sequence)
            if answer.is_error() or answer.command == "generic_nack":
                reason = f"SMPP {answer.status}"
                if references:
                    # Part of it is on its way: another provider would send that part again.
                    return Unclear(f"part {number} of {parts.count} was refused ({reason})")
                if answer.status in BUSY:
                    return Away(f"busy ({reason})")
                return Refused(reason, final=answer.status == consts.SMPP_ESME_RINVDSTADR)
            references.append((answer.message_id or b"").decode("ascii", errors="replace"))
        return Accepted(tuple(references), parts.count)

    # -- reports ---------------------------------------------------------------------------------------------------

    def listen(self, *, now: dt.datetime) -> None:
        """Deal with all that has come. A session that is gone is opened again: reports wait at the centre."""
        with self._one:
            self._now = now
            try:
                session = self._ready()
                while True:
                    session.wait(0.01)
                    pdu = session.read_pdu()
                    self._heard_at = time.monotonic()
                    self._deal_with(session, pdu)
            except TimeoutError:
                return
            except (*_GONE, exceptions.PDUError):
                self._shut()

    def _deal_with(self, session: _Session, pdu: Any) -> None:
        if pdu.command == "enquire_link":
            answer = smpp.make_pdu("enquire_link_resp", client=session)
        elif pdu.command == "deliver_sm":
            report = self._report(pdu)
            if report is not None and self._now is not None:
                self._keep(report, self._now)
            answer = smpp.make_pdu("deliver_sm_resp", client=session)
        elif pdu.command == "unbind":
            answer = smpp.make_pdu("unbind_resp", client=session)
        else:
            return
        answer.sequence = pdu.sequence
        session.send_pdu(answer)
        if pdu.command == "unbind":
            raise exceptions.ConnectionError

    def _keep(self, report: Report, now: dt.datetime) -> None:
        try:
            self.told(self.name, report, now)
        except Exception as error:
            # The database is away: the line is given up, so that the centre sends the report again.
            log.warning("A report of %s could not be kept (%s).", self.name, type(error).__name__)
            raise exceptions.ConnectionError from None

    def _report(self, pdu: Any) -> Report | None:
        """What a delivery receipt says; None for anything else that arrives, such as somebody's answer."""
        if not (pdu.esm_class or 0) & 0x04:
            return None
        text = RECEIPT.search((pdu.short_message or b"").decode("latin-1"))
        reference = (getattr(pdu, "receipted_message_id", None) or b"").decode("ascii", errors="replace")
        state = STATES.get(getattr(pdu, "message_state", None) or 0, "")
        error = ""
        if text is not None:
            reference = reference or self._numbered(text[1])
            state = state or text[2].upper()[:10]
            error = "" if text[3] in (None, "000", "0") else text[3][:10]
        if not reference or not state:
            return None
        outcome = "delivered" if state == "DELIVRD" else "waiting" if state in WAITING else "failed"
        return Report(reference, outcome, "" if outcome == "delivered" else f"{state} {error}".strip())

    def _numbered(self, written: str) -> str:
        if self.centre.receipt_numbers == "decimal" and written.isdigit():
            return f"{int(written):x}"
        return written
