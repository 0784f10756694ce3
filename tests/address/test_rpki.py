"""Route origin validation, and the exports of validators."""

import datetime as dt
import ipaddress
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari import cli
from rahdari.address import rpki
from rahdari.address.rpki import Authority, ExportError, Payload, Payloads, Validity
from rahdari.address.rpki_commands import in_use

net = ipaddress.ip_network
ROAS = [
    Payload(net("192.0.2.0/24"), 24, 64496, "sample"),
    Payload(net("198.51.100.0/24"), 26, 64497, "sample"),
    Payload(net("203.0.113.0/24"), 24, 0, "sample"),
    Payload(net("2001:db8::/32"), 48, 64496, "sample"),
]


def as_export(roas: list[Payload], *, routinator: bool = False) -> dict[str, object]:
    """As rpki-client 9 and Routinator 0.14 write it."""
    rows = [
        {
            "asn": f"AS{roa.asn}" if routinator else roa.asn,
            "prefix": str(roa.prefix),
            "maxLength": roa.most,
            "ta": roa.anchor,
            **({} if routinator else {"expires": 1_795_600_000}),
        }
        for roa in roas
    ]
    if routinator:
        return {"metadata": {"generated": 1_795_600_000, "generatedTime": "2026-11-25T12:00:00Z"}, "roas": rows}
    return {"metadata": {"buildmachine": "sample", "buildtime": "2026-11-25T12:00:00Z"}, "roas": rows}


class TestValidity:
    """RFC 6811, and the cases of RFC 6483 and 7607 beside it."""

    @pytest.mark.parametrize(
        ("prefix", "asn", "found"),
        [
            ("192.0.2.0/24", 64496, Validity.VALID),
            ("192.0.2.0/24", 64499, Validity.INVALID),
            ("192.0.2.0/25", 64496, Validity.INVALID),
            ("198.51.100.64/26", 64497, Validity.VALID),
            ("198.51.100.64/27", 64497, Validity.INVALID),
            ("192.0.0.0/16", 64496, Validity.NOT_FOUND),
            ("203.0.113.0/24", 0, Validity.INVALID),
            ("203.0.113.0/24", 64496, Validity.INVALID),
            ("2001:db8:1::/48", 64496, Validity.VALID),
            ("2001:db8:1::/64", 64496, Validity.INVALID),
            ("2001:db9::/32", 64496, Validity.NOT_FOUND),
        ],
    )
    def test_is_as_the_rfc_has_it(self, prefix: str, asn: int, found: Validity) -> None:
        assert rpki.validity(net(prefix), asn, ROAS) is found

    def test_is_valid_when_one_of_several_matches(self) -> None:
        both = [*ROAS, Payload(net("192.0.2.0/24"), 28, 64499)]
        assert rpki.validity(net("192.0.2.16/28"), 64499, both) is Validity.VALID
        assert rpki.validity(net("192.0.2.16/28"), 64496, both) is Validity.INVALID


class TestAuthority:
    @pytest.mark.parametrize(
        ("block", "asn", "found"),
        [
            # What a holder registers is mostly narrower than what is announced.
            ("192.0.2.16/28", 64496, Authority.NAMED),
            ("192.0.2.1/32", 64496, Authority.NAMED),
            ("192.0.2.16/28", 64499, Authority.OTHERS),
            ("203.0.113.0/28", 64496, Authority.OTHERS),
            ("203.0.113.0/28", 0, Authority.OTHERS),
            ("192.0.0.0/16", 64496, Authority.NOBODY),
            ("2001:db8::1/128", 64496, Authority.NAMED),
        ],
    )
    def test_asks_for_the_space_around_a_block(self, block: str, asn: int, found: Authority) -> None:
        assert rpki.authority(net(block), asn, ROAS) is found


blocks = st.integers(0, 2**32 - 1).flatmap(
    lambda number: st.integers(0, 32).map(lambda length: ipaddress.IPv4Network((number, length), strict=False))
)
payloads = st.builds(
    lambda prefix, more, asn: Payload(prefix, min(32, prefix.prefixlen + more), asn),
    blocks,
    st.integers(0, 8),
    st.integers(0, 3),
)


class TestStore:
    @pytest.mark.parametrize("routinator", [False, True])
    def test_gives_back_what_covers(self, tmp_path: Path, routinator: bool) -> None:
        export, store = tmp_path / "vrps.json", tmp_path / "data" / "rpki.sqlite3"
        export.write_text(json.dumps(as_export(ROAS, routinator=routinator)))
        report = rpki.import_export(export, store)
        assert (report.accepted, report.rejected) == (4, 0)
        found = Payloads(store)
        assert found.covering(net("192.0.2.16/28")) == [ROAS[0]]
        assert found.covering(net("2001:db8::1/128")) == [ROAS[3]]
        assert found.covering(net("192.0.0.0/16")) == []
        assert found.built_at() == dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
        assert not found.is_stale(dt.datetime(2026, 11, 26, tzinfo=dt.UTC))
        assert found.is_stale(dt.datetime(2026, 11, 28, tzinfo=dt.UTC))
        assert [each.name for each in store.parent.iterdir()] == [store.name]

    @settings(deadline=None, max_examples=40)  # each example writes a file and waits for the disk
    @given(st.lists(payloads, min_size=1, max_size=20), blocks, st.integers(0, 3))
    def test_finds_what_looking_at_each_finds(
        self, tmp_path_factory: pytest.TempPathFactory, roas: list[Payload], block: ipaddress.IPv4Network, asn: int
    ) -> None:
        folder = tmp_path_factory.mktemp("rpki")
        (folder / "vrps.json").write_text(json.dumps(as_export(roas)))
        rpki.import_export(folder / "vrps.json", folder / "store")
        found = Payloads(folder / "store").covering(block)
        assert set(found) == {roa for roa in roas if roa.prefix.supernet_of(block)}
        assert rpki.validity(block, asn, found) is rpki.validity(block, asn, roas)
        assert rpki.authority(block, asn, found) is rpki.authority(block, asn, roas)

    def test_leaves_out_what_cannot_be_read(self, tmp_path: Path) -> None:
        good = as_export(ROAS)
        wrong: list[object] = [
            {"asn": "ASx", "prefix": "192.0.2.0/24", "maxLength": 24},
            {"asn": -1, "prefix": "192.0.2.0/24"},
            {"asn": 2**32, "prefix": "192.0.2.0/24"},
            {"asn": 1, "prefix": "192.0.2.1/24"},
            {"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 23},
            {"asn": 1, "prefix": "192.0.2.0/24", "maxLength": 33},
            {"asn": 1},
            None,
            "AS1",
        ]
        assert isinstance(good["roas"], list)
        good["roas"] += wrong
        (tmp_path / "vrps.json").write_text(json.dumps(good))
        report = rpki.import_export(tmp_path / "vrps.json", tmp_path / "store")
        assert (report.accepted, report.rejected) == (4, len(wrong))

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (None, "missing"),
            ("", "not_json"),
            ("[" * 100_000, "not_json"),
            ("[]", "no_roas"),
            ('{"roas": 3}', "no_roas"),
            ('{"roas": []}', "empty"),
            ('{"roas": [{}]}', "empty"),
        ],
    )
    def test_keeps_the_one_in_use_when_a_file_is_no_export(self, tmp_path: Path, text: str | None, reason: str) -> None:
        export, store = tmp_path / "vrps.json", tmp_path / "store"
        export.write_text(json.dumps(as_export(ROAS)))
        rpki.import_export(export, store)
        before = store.read_bytes()
        export.unlink()
        if text is not None:
            export.write_text(text)
        with pytest.raises(ExportError) as error:
            rpki.import_export(export, store)
        assert error.value.reason == reason and store.read_bytes() == before

    def test_is_stale_when_it_does_not_say_how_old_it_is(self, tmp_path: Path) -> None:
        export = as_export(ROAS)
        for metadata in ({}, None, {"buildtime": "yesterday"}):
            (tmp_path / "vrps.json").write_text(json.dumps({**export, "metadata": metadata}))
            rpki.import_export(tmp_path / "vrps.json", tmp_path / "store")
            assert Payloads(tmp_path / "store").is_stale(dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
        assert Payloads(tmp_path / "none").is_stale(dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
        assert Payloads(tmp_path / "none").covering(net("192.0.2.0/24")) == []


class TestCommands:
    def run(self, data: Path, *words: object) -> int:
        return cli.main(["rpki", *map(str, words), "--data", str(data)])

    def test_import_and_show(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        export = tmp_path / "vrps.json"
        export.write_text(json.dumps(as_export(ROAS)))
        data = tmp_path / "data"
        data.mkdir()
        assert self.run(data, "show", "192.0.2.0/24", "--network", "AS64496") == 1
        assert "rahdari rpki import FILE" in capsys.readouterr().err
        assert self.run(data, "import", export) == 0
        assert "Payloads taken: 4, left out: 0; made 2026-11-25 12:00 UTC." in capsys.readouterr().out
        assert in_use(data).is_file()
        assert self.run(data, "show", "192.0.2.16/28", "--network", "AS64496") == 0
        said = capsys.readouterr().out
        assert "AS64496 is named for it." in said and "As a route it is invalid" in said
        assert self.run(data, "show", "192.0.2.0/24", "--network", "AS64499") == 0
        assert "That is no ground for refusal." in capsys.readouterr().out
        assert self.run(data, "show", "192.0.2.0/24", "--network", "sample") == 1
        assert self.run(data, "show", "192.0.2.1/24") == 1

    def test_import_says_what_is_wrong_and_changes_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "vrps.csv").write_text("ASN,IP Prefix,Max Length\n")
        assert self.run(tmp_path, "import", tmp_path / "vrps.csv") == 1
        assert "is not JSON" in capsys.readouterr().err
        assert not in_use(tmp_path).exists()
