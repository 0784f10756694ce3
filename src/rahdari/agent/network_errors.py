"""What can go wrong between here and the server, and how it is told to a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
    TimeoutError,
)

from .faults import AgentFault, Exit


class NotReached(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str, mend: str = "Check the network, the name and the firewall.") -> None:
        super().__init__(f"{url} cannot be reached: {why}.", f"{mend} What was verified last stays enforced.")
        self.url, self.why = url, why


class NoAnswer(NotReached):
    """There was a connection, and nothing came over it."""


class ProxyRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The proxy does not let us through to {url}: {why}.",
            "Check `proxy` in the configuration or HTTPS_PROXY, and what the proxy allows.",
        )


class TlsRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"No secure connection to {url}: {why}.",
            "Check this machine's clock and its certificates; with a private authority set `ca_file`. Where the server "
            "asks for a certificate of yours, check `client_certificate`.",
        )


class TokenRefused(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, status: int, token_file: Path | None) -> None:
        shown, mend = "the token", f"Put the token that you were given into {token_file}, or ask the authority for one."
        if token_file is None:
            shown, mend = "the certificate", "Check `client_certificate`, or ask the authority whether it is known."
        super().__init__(f"{url} does not accept {shown} (HTTP {status}).", mend)


class UnexpectedAnswer(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, status: int) -> None:
        self.status = status
        mend = {
            403: "Access is refused: check the token, and ask the authority whether your access goes on.",
            404: "If it never went well, check `server` in the configuration: it is the address without /feed. "
            "If it did, the server lacks a file: tell the authority.",
            503: "The server cannot give it now; the agent tries again. If it goes on, tell the authority.",
            429: "Too many requests: the agent tries again more slowly.",
        }.get(status, "Try again later; if it goes on, tell the authority.")
        if 300 <= status < 400:
            mend = "Redirects are not followed, since the token would go along: set `server` to the final address."
        super().__init__(f"{url} answered with HTTP {status}.", mend)


class TooMuch(AgentFault):
    exit = Exit.UNTRUSTED

    def __init__(self, url: str, limit: int) -> None:
        super().__init__(f"{url} sent more than the {limit} bytes allowed.", "Tell the authority: this is no edition.")


class TooSlow(AgentFault):
    exit = Exit.NO_NETWORK

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(
            f"{url} did not finish within {seconds:.0f} seconds.", "Check the network; the agent tries again."
        )


@contextmanager
def network_faults(url: str) -> Iterator[None]:
    """Turn what urllib3 says into what a person can act on."""
    try:
        yield
    except (HTTPError, OSError, ValueError) as error:
        raise _fault(url, error) from error


def _fault(url: str, error: Exception) -> AgentFault:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, ProxyError):
        met = reason.original_error
        if isinstance(met, ConnectTimeoutError | NewConnectionError | NameResolutionError):
            why = getattr(met.__cause__, "strerror", None) or "no answer in time"
            return NotReached(url, f"the proxy cannot be reached ({why})", "Check `proxy` or HTTPS_PROXY.")
        return ProxyRefused(url, _first_line(met))
    if isinstance(reason, SSLError):
        return TlsRefused(url, str(reason.args[0] if reason.args else reason))
    if isinstance(reason, NameResolutionError):
        host = urlsplit(url).hostname
        return NotReached(url, f"the name {host} is not known", "Check `server` and this machine's name service.")
    if isinstance(reason, NewConnectionError):
        cause = reason.__cause__
        return NotReached(url, getattr(cause, "strerror", None) or "the connection was refused")
    if isinstance(reason, ReadTimeoutError):
        return NoAnswer(url, "it does not answer")
    if isinstance(reason, TimeoutError):
        return NotReached(url, "no answer in time")
    return NotReached(url, f"the connection broke ({type(reason).__name__})")


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return reason.partition("\n")[0].removeprefix("Tunnel connection failed: ")[:200] or type(error).__name__
