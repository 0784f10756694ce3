"""The operator's own additions."""

from pathlib import Path

import pytest

from rahdari.agent.faults import Exit
from rahdari.agent.local import LocalFile, LocalRow, LocalUnreadable, rows_of

WHOLE = """\
prefix,protocol,port,comment
# our own
192.0.2.10,udp,51820,"our gateway, until the register has it"
2001:db8:77::/48,any,,
 198.51.100.0/24 , ESP ,,
192.0.2.10,udp,51820,said twice: the last one counts

"""


def read(text: str | bytes) -> list[LocalRow]:
    return rows_of(Path("local.csv"), text.encode() if isinstance(text, str) else text)


class TestRows:
    def test_are_read_as_the_feed_writes_them(self) -> None:
        assert read(WHOLE) == [
            LocalRow("192.0.2.10/32", "udp", 51820, "said twice: the last one counts"),
            LocalRow("2001:db8:77::/48", "any", None, ""),
            LocalRow("198.51.100.0/24", "esp", None, ""),
        ]

    def test_need_no_more_than_a_prefix(self) -> None:
        assert read("prefix\n192.0.2.1\n") == [LocalRow("192.0.2.1/32", "any", None, "")]
        assert read("\ufeffprefix,comment\r\n192.0.2.1,x\r\n") == [LocalRow("192.0.2.1/32", "any", None, "x")]
        assert read("") == read("prefix,protocol,port,comment\n") == []

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("address\n192.0.2.1\n", "its first line is not prefix,protocol,port,comment"),
            ("prefix,exclude\n192.0.2.1,yes\n", "its first line is not"),
            ("prefix\n192.0.2.1/24\n", "line 2: '192.0.2.1/24' is not understood (host_bits)"),
            ("prefix\n0.0.0.0/0\n", "line 2: '0.0.0.0/0' is not understood (too_wide)"),
            ("prefix\n2000::/3\n", "too_wide"),
            ("prefix,protocol,port\n192.0.2.1,any,53\n", "port_without_protocol"),
            ("prefix,protocol,port\n192.0.2.1,udp,70000\n", "port_out_of_range"),
            ("prefix,protocol\n192.0.2.1,smtp\n", "protocol_unknown"),
            ("prefix\n192.0.2.1,udp\n", "line 2 has more fields"),
            ('prefix\n"192.0.2.1\n', "it is no CSV"),
            (b"prefix\n\xff\n", "it is no CSV in UTF-8"),
            ("prefix\n" + "x\n" * 9, "and 4 more"),
        ],
    )
    def test_are_taken_all_or_not_at_all(self, text: str | bytes, says: str) -> None:
        with pytest.raises(LocalUnreadable) as caught:
            read(text)
        assert says in caught.value.what
        assert caught.value.exit is Exit.ALARM


class TestFile:
    def test_is_read_again_when_it_is_another(self, tmp_path: Path) -> None:
        path = tmp_path / "local.csv"
        file = LocalFile(path)
        with pytest.raises(LocalUnreadable, match="No such file"):
            file.changed()
        path.write_text("prefix\n192.0.2.1\n")
        assert file.changed() == [LocalRow("192.0.2.1/32", "any", None, "")]
        assert file.changed() is None
        path.write_text("prefix\nwrong\n")
        for _ in range(2):
            with pytest.raises(LocalUnreadable):
                file.changed()
        path.write_text("prefix\n")
        assert file.changed() == []
