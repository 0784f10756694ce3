"""Telling the server what is in force here. Failing to tell never fails a sync: receipts are kept and sent again."""

from http import HTTPStatus

from .configuration import Configuration
from .faults import AgentFault, Exit
from .state import State
from .transport import Server

# Once token and address are right the server takes these; any other refusal would be the same next time.
PASSING = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
}


class ReceiptNotTaken(AgentFault):
    """A note: what is enforced is enforced, the server only does not know of it yet."""

    exit = Exit.OK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The receipt could not be given to {url}: {why}.",
            "It is kept and sent again. Check `receipt_url` if it goes on.",
        )


class ReceiptRefused(AgentFault):
    exit = Exit.OK

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"{url} refused a receipt (HTTP {status}), and it was dropped.",
            "Tell the authority; check that this agent and the server have fitting versions.",
        )


def send_receipts(*, state: State, server: Server, configuration: Configuration) -> AgentFault | None:
    """Oldest first; stops at the first that is not taken."""
    url = configuration.receipt_url
    refused: AgentFault | None = None
    for number, body in state.receipts():
        try:
            status, _ = server.post(url, body)
        except AgentFault as fault:
            return ReceiptNotTaken(url, fault.what.rstrip("."))
        if status in PASSING or status >= 500 or 300 <= status < 400:
            return ReceiptNotTaken(url, f"it answered with HTTP {status}")
        if status >= 400:
            refused = ReceiptRefused(url, status)
        with state.transaction():
            state.drop_receipt(number)
    return refused
