"""An address that changes, with a real ddclient, from the application into the file of an operator's agent; a change,
its overlap, and a renewal: one number, and never a gap.
"""

from pathlib import Path

import pytest

from rahdari.applicant import router_settings
from tests.dyndns.relay import relay
from tests.dyndns.test_clients import run_ddclient, to_copy
from tests.needs import needs_program

from .stack import Stack, wait_for

HOME, AFTER_A_NIGHT = "127.0.190.7", "127.0.190.8"


def act(stack: Stack, word: str, value: str) -> list[str]:
    return stack.acts("changing.py", word, value)


@pytest.mark.whole
def test_a_router_reports_operators_follow_and_the_number_stays(stack: Stack, tmp_path: Path) -> None:
    needs_program("ddclient", "apt-get install ddclient")
    held = stack.data / "agents" / "sample-fibre" / "entries.json"

    def reported_from(address: str) -> str:
        with relay(stack.port, source=address) as port:
            full = router_settings.fqdn(name, "", "ddns.example")
            given = router_settings.Settings(f"http://127.0.0.1:{port}", name, full, token, v6_network=False)
            return run_ddclient(tmp_path, to_copy("ddclient", given))

    application, name, token = act(stack, "apply", "51890")
    said = reported_from(HOME)
    act(stack, "send", application)
    number = wait_for("the registration", lambda: act(stack, "of", application))[0]
    wait_for(f"the address at an operator; ddclient said: {said}", lambda: HOME in held.read_text())

    # In the morning the line has another address: operators get it, and keep the old one for the overlap.
    for cache in tmp_path.glob("*.cache"):
        cache.unlink()  # ddclient would wait for its own shortest interval
    said = reported_from(AFTER_A_NIGHT)
    wait_for(f"the new address; ddclient said: {said}", lambda: AFTER_A_NIGHT in held.read_text())
    assert HOME in held.read_text()

    # The term comes to its end: renewed by rule, under the same number, with the address listed all the time.
    act(stack, "near_end", number)
    before = act(stack, "shown", number)[0]
    act(stack, "renew", number)
    after = wait_for("the renewal", lambda: [end for end in act(stack, "shown", number)[:1] if end > before])
    assert int(after[0][:4]) == int(before[:4]) + 1
    assert f"{AFTER_A_NIGHT}/32" in act(stack, "shown", number)
    assert AFTER_A_NIGHT in held.read_text()
