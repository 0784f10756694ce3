"""What `bench/fuzz` found, kept as it was found."""

from pathlib import Path

import pytest

from rahdari.agent.configuration import ConfigurationError, load

BEGIN = 'token_file = "token"\nroot = "root.json"\nroot_sha256 = "' + "d" * 64 + '"\n'
END = '[[target]]\nkind = "json"\npath = "entries.json"\n'


class TestLoadConfiguration:
    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("server", 'server = "https://feed.mxam]ple"'),
            ("server", 'server = "https://[feed.example"'),
            ("server", 'server = "https://feed.example:99999"'),
            ("receipt_url", 'server = "https://feed.example"\nreceipt_url = "https://[feed.example/feed/receipt"'),
            ("proxy", 'server = "https://feed.example"\nproxy = "http://[proxy.example:3128"'),
            ("metrics", 'server = "https://feed.example"\nmetrics = "127.0.0.1:' + "9" * 5000 + '"'),
        ],
    )
    def test_an_address_that_is_none_is_told(self, tmp_path: Path, name: str, line: str) -> None:
        path = tmp_path / "agent.toml"
        path.write_text(f"{line}\n{BEGIN}{END}")
        with pytest.raises(ConfigurationError, match=f"`{name}`"):
            load(path)
