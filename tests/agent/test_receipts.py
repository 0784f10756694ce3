"""Telling the server: signed, once for each role that came into force, kept until it is taken."""

import json
import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rahdari.agent.configuration import Configuration, file_target
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.agent.receipts import KEY_FILE, AgentKeyUnusable, new_signing_key, public_hex, signing_key
from rahdari.cli import main
from rahdari.feed import InvalidReceipt, SignedReceipt
from tests.agent.feeds import Publisher, Stand, an_entry, names, now, sync, written
from tests.agent.servers import Asked, Reply, answering
from tests.needs import needs_root


def sent(asked: list[Asked]) -> list[SignedReceipt]:
    """As a server reads them."""
    found = []
    for one in asked:
        if one.method == "POST":
            receipt = SignedReceipt.from_json(json.loads(one.body))
            receipt.verify()
            found.append(receipt)
    return found


def waiting(configuration: Configuration) -> int:
    with open_state(configuration.state) as state:
        return len(state.receipts())


def refusing(status: int, **problem: object) -> Callable[[Asked], Reply]:
    return lambda asked: Reply(status, json.dumps(problem).encode(), {"Content-Type": "application/problem+json"})


class TestSend:
    def test_signs_one_for_each_role_that_came_into_force(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"), an_entry("192.0.2.2/32"))
        with answering(lambda asked: Reply(201)) as (url, asked):
            telling = replace(configuration, receipt_url=f"{url}/feed/receipt")
            assert sync(telling).exit is Exit.OK
            first = sent(asked)
            streams = publisher.streams.values()
            assert {receipt.receipt.session for receipt in first} == {stream.session for stream in streams}
            assert {receipt.key for receipt in first} == {public_hex(signing_key(configuration.state))}
            by_session = {receipt.receipt.session: receipt.receipt for receipt in first}
            static = by_session[publisher.session]
            assert (static.sequence, static.digest) == (publisher.sequence, publisher.digest())
            assert [(target.kind, target.ok) for target in static.targets] == [("json", True)]
            # Nothing new: nothing is told again.
            sync(telling)
            assert len(sent(asked)) == len(first)
            # A change of one role is told for that role alone.
            publisher.publish(an_entry("192.0.2.9/32"), kind="dynamic")
            sync(telling)
            (last,) = sent(asked)[len(first) :]
            assert last.receipt.session == publisher.streams["feed-dynamic"].session

    def test_says_which_target_did_not_take_it(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        nowhere = file_target("csv", "nowhere", configuration.state / "not-there" / "e.csv")
        with answering(lambda asked: Reply(201)) as (url, asked):
            sync(
                replace(
                    configuration,
                    receipt_url=f"{url}/feed/receipt",
                    targets=(*configuration.targets, nowhere),
                )
            )
            for receipt in sent(asked):
                assert {target.name: target.ok for target in receipt.receipt.targets} == {
                    "entries.json": True,
                    "nowhere": False,
                }

    def test_says_that_the_target_that_failed_was_taken_out(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        nowhere = file_target("csv", "nowhere", configuration.state / "not-there" / "e.csv")
        sync(replace(configuration, targets=(*configuration.targets, nowhere)))
        failing = len(stand.receipts)
        sync(configuration)
        last = stand.receipts[failing:]
        assert last and all([target["name"] for target in each["targets"]] == ["entries.json"] for each in last)
        sync(configuration)
        assert stand.receipts[failing:] == last, "it is said once"

    @pytest.mark.parametrize("status", [302, 401, 404, 503])
    def test_keeps_what_was_not_taken_and_sends_it_again(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, status: int
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        with answering(lambda asked: Reply(status)) as (url, asked):
            outcome = sync(replace(configuration, receipt_url=f"{url}/feed/receipt"))
            assert (outcome.exit, names(outcome)) == (Exit.OK, ["ReceiptNotTaken"])
            # The first that is not taken ends the telling: a server in trouble is not asked three times.
            assert len(asked) == 1
        assert waiting(configuration) == 3
        assert sync(configuration).faults == ()
        assert waiting(configuration) == 0
        assert len(stand.receipts) == 3

    def test_drops_what_the_server_will_never_take(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        with answering(refusing(422, field="digest")) as (url, _):
            outcome = sync(replace(configuration, receipt_url=f"{url}/feed/receipt"))
        assert (outcome.exit, names(outcome)) == (Exit.OK, ["ReceiptRefused"])
        assert waiting(configuration) == 0

    def test_keeps_what_an_earlier_version_left_in_another_shape_from_standing_in_the_way(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        with open_state(configuration.state) as state, state.transaction():
            state.keep_receipt(b'{"format":"0.9"}', now())
            state.keep_receipt(b"no json", now())
        outcome = sync(configuration)
        assert names(outcome) == ["ReceiptRefused"]
        assert waiting(configuration) == 0
        assert len(stand.receipts) == 3


class TestKey:
    def test_is_made_once_and_readable_by_its_owner_alone(self, configuration: Configuration) -> None:
        first = public_hex(signing_key(configuration.state))
        assert public_hex(signing_key(configuration.state)) == first
        assert (configuration.state / KEY_FILE).stat().st_mode & 0o777 == 0o600

    def test_that_was_revoked_raises_an_alarm_and_keeps_what_waits(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        revoked = signing_key(configuration.state)
        with answering(refusing(422, type="urn:x", field="signature")) as (url, _):
            outcome = sync(replace(configuration, receipt_url=f"{url}/feed/receipt"))
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["AgentKeyRefused"])
        assert public_hex(revoked)[:16] in outcome.faults[0].what
        assert "rahdari agent key --new" in outcome.faults[0].mend
        assert waiting(configuration) == 3
        # Another key signs what waited.
        new = new_signing_key(configuration.state)
        assert public_hex(new) != public_hex(revoked)
        with answering(lambda asked: Reply(201)) as (url, asked):
            sync(replace(configuration, receipt_url=f"{url}/feed/receipt"))
            assert {receipt.key for receipt in sent(asked)} == {public_hex(new)}
        assert waiting(configuration) == 0

    @pytest.mark.parametrize("content", [b"", b"no key", b"ec"])
    def test_that_is_none_is_told_and_stops_no_sync(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, content: bytes
    ) -> None:
        if content == b"ec":
            form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            content = ec.generate_private_key(ec.SECP256R1()).private_bytes(*form)
        (configuration.state / KEY_FILE).write_bytes(content)
        publisher.publish(an_entry("192.0.2.1/32"))
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.OK, ["AgentKeyUnusable"])
        assert waiting(configuration) == 3
        assert stand.receipts == []
        with pytest.raises(AgentKeyUnusable):
            signing_key(configuration.state)

    def test_is_shown_and_replaced_by_command(
        self, configuration: Configuration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        options = ["--config", str(written(configuration))]
        assert main(["agent", "key", *options]) == 0
        shown = capsys.readouterr().out.splitlines()[0]
        assert shown == public_hex(signing_key(configuration.state))
        assert main(["agent", "key", "--new", *options]) == 0
        assert capsys.readouterr().out.splitlines()[0] == public_hex(signing_key(configuration.state)) != shown

    @pytest.mark.root
    def test_made_by_root_belongs_to_the_agents_user(self, configuration: Configuration) -> None:
        needs_root()
        os.chown(configuration.state, 65534, 65534)
        assert main(["agent", "key", "--config", str(written(configuration))]) == 0
        assert (configuration.state / KEY_FILE).stat().st_uid == 65534


class TestSignature:
    def test_of_another_receipt_is_none(self, publisher: Publisher, configuration: Configuration) -> None:
        with answering(lambda asked: Reply(201)) as (url, asked):
            sync(replace(configuration, receipt_url=f"{url}/feed/receipt"))
            one, other, *_ = sent(asked)
        with pytest.raises(InvalidReceipt):
            replace(one, receipt=other.receipt).verify()
