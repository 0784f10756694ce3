"""The two made-up vantages of the demonstration: made once, listed for the register, on free ports at each start."""

from pathlib import Path

from rahdari import vantage
from rahdari.ops import vantage_samples
from rahdari.vantage.configuration import load


def test_are_listed_as_they_listen_and_keep_their_keys(tmp_path: Path) -> None:
    first = vantage_samples.prepare(tmp_path)
    before = vantage.load(tmp_path)
    assert [each.name for each in before] == [name for name, _settings in first] == ["sample-north", "sample-south"]
    assert len({each.network for each in before}) == 2
    again = vantage_samples.prepare(tmp_path)
    after = vantage.load(tmp_path)
    assert [(each.key, each.token) for each in after] == [(each.key, each.token) for each in before]
    for known, (_name, settings) in zip(after, again, strict=True):
        configuration = load(settings)
        assert known.url == f"http://{configuration.host}:{configuration.port}"
        assert configuration.key_file.is_file()


def test_are_made_anew_when_one_was_lost_half_way(tmp_path: Path) -> None:
    vantage_samples.prepare(tmp_path)
    (tmp_path / "sample-north.token").unlink()
    vantage_samples.prepare(tmp_path)
    assert len(vantage.load(tmp_path)) == 2
