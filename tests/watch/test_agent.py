"""`rahdari agent watch` against the running register: what the own program sees is a fact of the next round."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from rahdari.agent.commands import measure
from rahdari.agent.dyndns_update import Refused, RegisterNotReached, SettingsUnusable
from rahdari.agent.own_endpoint import Looker, read_settings
from rahdari.people.models import User
from rahdari.probe import Outcome
from rahdari.register.models import Entry
from rahdari.watch.models import Report
from tests.builders import story
from tests.builders.programs import Program
from tests.builders.shared import known_networks
from tests.portal.test_measurement import proved_by_handshake
from tests.probe.certificates import an_identity
from tests.vantage.test_process import Web


def settings_in(folder: Path, **more: str) -> Path:
    path = folder / "measure.conf"
    path.touch(0o600)
    path.write_text("".join(f"{key} = {value}\n" for key, value in more.items()))
    return path


@pytest.mark.django_db(transaction=True)
def test_looks_and_is_heard(live_server: Any, tmp_path: Path, settings: Any, capsys: Any) -> None:
    settings.SITE_URL = live_server.url
    with known_networks():
        entry: Entry = story.registration_of(story.a_granted_application(story.a_person())).entries.get()
    program = Program(User.objects.get(holder_ref=entry.holder))
    identity = an_identity(tmp_path, "vpn.sample.example")
    with Web(identity).running() as web:
        proof = proved_by_handshake(entry, web.port)
        proof.given = f'{{"fingerprint": "{identity.fingerprint}", "port": {web.port}}}'
        proof.save()
        reference = entry.registration.reference
        path = settings_in(
            tmp_path,
            server=live_server.url,
            registration=reference,
            entry=str(entry.pk),
            token=program.text,
            at="127.0.0.1",
        )
        looker = Looker(read_settings(path))
        with pytest.raises(Refused):
            looker.look()
        place = f"/registrations/{reference}/entries/{entry.pk}/measurement"
        program.put(place, {"inside": False, "agent": True})
        assert measure.run(Namespace(config=path, once=True)) == 0
        assert "endpoint proved, way out proved, heard" in capsys.readouterr().out
    said = looker.look()
    assert (said.outcome, said.control, said.heard) == (Outcome.REFUSED, Outcome.PROVED, True)
    assert Report.objects.get().outcome == "refused"
    program.delete(place)
    with pytest.raises(Refused):
        looker.look()


def test_says_what_is_wrong_with_its_settings(tmp_path: Path) -> None:
    good = {"server": "http://127.0.0.1:1", "registration": "RD-0A0A-00AA", "entry": "x", "token": "t"}
    with pytest.raises(SettingsUnusable, match="does not say token"):
        read_settings(settings_in(tmp_path, **{**good, "token": ""}))
    with pytest.raises(SettingsUnusable, match="`at` is not an address"):
        read_settings(settings_in(tmp_path, **good, at="here"))
    with pytest.raises(SettingsUnusable, match="in the clear"):
        read_settings(settings_in(tmp_path, **{**good, "server": "http://register.example"}))
    with pytest.raises(RegisterNotReached):
        Looker(read_settings(settings_in(tmp_path, **good))).look()
