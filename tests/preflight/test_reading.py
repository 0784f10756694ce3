"""Files as they come: their bounds, their syntax, and each line that was not understood, named."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.preflight import (
    MOST_BYTES,
    MOST_LINES,
    JumpsInCircle,
    NoText,
    NothingInIt,
    OtherFormat,
    PlanError,
    Syntax,
    SyntaxUnknown,
    TooLarge,
    TooManyLines,
    TooManyRules,
    Trouble,
    answer,
    read,
)
from rahdari.preflight.words import error_in_words, trouble_in_words
from tests.preflight.editions import Edition, held, looked, states

GATE = held("192.0.2.10", "udp", 51820, id="gate")
WEB = held("192.0.2.11", "tcp", 443, id="web")
SIX = held("2001:db8:7::1", "esp", id="six")
ALL = (GATE, WEB, SIX)


def unread(text: str, syntax: Syntax | None = None) -> list[tuple[int, Trouble, str]]:
    return [(each.line, each.trouble, each.near) for each in read(text.encode(), syntax).unread]


class TestBounds:
    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (b"192.0.2.0/24\n" + b"#" * MOST_BYTES, TooLarge),
            (b"192.0.2.1\n" * (MOST_LINES + 1), TooManyLines),
            (b"\x89PNG\r\n\x1a\n", NoText),
            (b"192.0.2.1\n\0", NoText),
            (b"", NothingInIt),
            (b"\n # only a comment\n\n", NothingInIt),
            (b"<html>\n<body>hello</body>", SyntaxUnknown),
            (b"# saved\n*filter\n:FORWARD DROP [0:0]\n-A FORWARD -s 192.0.2.0/24 -j DROP\nCOMMIT\n", OtherFormat),
            (b"iptables -I FORWARD -s 192.0.2.7/32 -p udp --dport 1194 -j DROP\n", OtherFormat),
        ],
    )
    def test_each_has_an_error_with_a_way_out(self, content: bytes, error: type[PlanError]) -> None:
        with pytest.raises(error) as raised:
            read(content)
        assert all(error_in_words(raised.value)) and str(raised.value)

    @pytest.mark.parametrize(
        ("line", "trouble", "near"),
        [
            ("203.0.113.77/27", Trouble.HOST_BITS, "203.0.113.77/27"),
            ("off 2001:db8::7/64 udp", Trouble.HOST_BITS, "2001:db8::7/64"),
            ("192.0.2.7 udp 70000", Trouble.PORT, "70000"),
        ],
    )
    def test_a_plan_of_one_line_is_told_what_is_wrong_with_it(self, line: str, trouble: Trouble, near: str) -> None:
        found = read(f"{line}\n".encode())
        assert not found.rules
        assert [(each.line, each.trouble, each.near) for each in found.unread] == [(1, trouble, near)]

    def test_every_error_has_words(self) -> None:
        for error in (TooManyRules(1), JumpsInCircle("x", 1)):
            assert all(error_in_words(error))
        assert PlanError.__subclasses__() and {type(each) for each in (TooManyRules(1), JumpsInCircle("x", 1))} <= set(
            PlanError.__subclasses__()
        )

    def test_what_iptables_saved_is_named_with_the_program_that_converts_it(self) -> None:
        for text, program in (
            ("-A FORWARD -s 192.0.2.7 -j DROP", "iptables-"),
            ("-A f -s 2001:db8::/32 -j d", "ip6tab"),
        ):
            with pytest.raises(OtherFormat) as raised:
                read(f"*filter\n{text}\nCOMMIT\n".encode())
            assert program in error_in_words(raised.value)[1] and "iptables-save" in error_in_words(raised.value)[0]
        # As `iptables-restore-translate` 1.8.11 writes it.
        nft = (
            "add table ip filter\nadd chain ip filter FORWARD { type filter hook forward priority 0; policy accept; }\n"
        )
        nft += "add rule ip filter FORWARD ip saddr 192.0.2.10 udp sport 51820 counter drop\n"
        assert states(nft, *ALL) == {"gate": "cut"}

    @given(content=st.binary(max_size=200))
    def test_whatever_is_sent_is_answered(self, content: bytes) -> None:
        for syntax in (None, *Syntax):
            with suppress(PlanError):
                answer(read(content, syntax), Edition(ALL))

    @given(
        words=st.lists(
            st.lists(
                st.sampled_from(
                    "table inet t { } chain c type filter hook forward ; policy drop accept ip daddr saddr "
                    "192.0.2.0/24 @s set elements = , . vmap : udp dport 53 != ct state new jump deny permit any "
                    "host eq range access-list extended ip object-group network no from then term filter discard [ "
                    "] set firewall family source-address /ip firewall add action=drop chain=forward "
                    "dst-address=192.0.2.1 route: members: ^24-32 10 0.0.0.255 - \" ' \\ /* */ # ! = $x define & | "
                    "include flush delete".split()
                ),
                max_size=12,
            ),
            max_size=8,
        )
    )
    def test_and_whatever_is_put_together_of_its_words(self, words: list[list[str]]) -> None:
        content = "\n".join(" ".join(line) for line in words).encode()
        for syntax in Syntax:
            try:
                change = read(content, syntax)
            except PlanError:
                continue
            answer(change, Edition(ALL))
            assert all(trouble_in_words(each) for each in change.unread)


class TestLines:
    @pytest.mark.parametrize(
        ("line", "hit"),
        [
            ("192.0.2.0/24", {"gate": "cut", "web": "cut"}),
            ("۱۹۲.۰.۲.۱۰", {"gate": "cut"}),
            ("off 192.0.2.8/30 udp", {"gate": "cut"}),
            ("192.0.2.10 udp 51820", {"gate": "cut"}),
            ("192.0.2.10:51820", {"gate": "cut"}),
            ("192.0.2.10,udp,51820", {"gate": "cut"}),
            ("192.0.2.10 51820/udp", {"gate": "cut"}),
            ("192.0.2.10 tcp 443, udp 51820, esp", {"gate": "cut"}),
            ("192.0.2.11 https", {"web": "cut"}),
            ("192.0.2.10-192.0.2.11", {"gate": "cut", "web": "cut"}),
            ("[2001:db8:7::1] esp", {"six": "cut"}),
            ("reroute 2001:db8:7::/48", {"six": "affected"}),
            ("192.0.2.10 tcp", {}),
            ("permit 192.0.2.0/24", {}),
            # As programs of IPv6 write addresses of IPv4.
            ("off ::ffff:192.0.2.10", {"gate": "cut"}),
            ("off ::ffff:192.0.2.0/120", {"gate": "cut", "web": "cut"}),
        ],
    )
    def test_say_what_goes(self, line: str, hit: dict[str, str]) -> None:
        assert states(line + "\n203.0.113.0/24", *ALL, syntax=Syntax.LINES) == hit

    def test_name_what_is_not_understood(self) -> None:
        text = "192.0.2.0/24\nvpn.example\n192.0.2.1 udp 70000\n192.0.2.1 quic 1\nfoo 192.0.2.1\n192.0.2.300\noff\n"
        assert unread(text) == [
            (2, Trouble.HOST_NAME, "vpn.example"),
            (3, Trouble.PORT, "70000"),
            (4, Trouble.WORD, "quic"),
            (5, Trouble.WORD, "foo"),
            (6, Trouble.ADDRESS, "192.0.2.300"),
            (7, Trouble.NO_ADDRESS, "off"),
        ]

    @pytest.mark.parametrize("before", ["", "prefix,action\n"])
    def test_a_length_that_does_not_fit_its_address_is_named(self, before: str) -> None:
        after = ",deny" if before else ""
        text = f"{before}192.0.2.77/27{after}\n2001:db8::7/64{after}\n192.0.2.64/27{after}\n"
        first = 2 if before else 1
        assert unread(text) == [
            (first, Trouble.HOST_BITS, "192.0.2.77/27"),
            (first + 1, Trouble.HOST_BITS, "2001:db8::7/64"),
        ]

    def test_are_counted_where_too_many_to_name(self) -> None:
        change = read(b"192.0.2.1\n" + b"what is this\n" * 300)
        assert (change.unread_count, len(change.unread), change.unread[0].line) == (300, 200, 2)

    def test_a_sequence_number_is_named_as_one_where_its_list_is_missing(self) -> None:
        assert unread("10 deny ip host 192.0.2.10 any\n") == [(1, Trouble.SEQUENCE, "10")]
        assert unread("deny ip host 192.0.2.10 any\n", Syntax.CISCO) == [(1, Trouble.OPEN, "deny")]
        whole = "ip access-list extended EDGE\n 10 deny ip host 192.0.2.10 any\n 20 permit ip any any\n"
        assert unread(whole) == [] and states(whole, *ALL) == {"gate": "cut"}
        assert states("10 deny 192.0.2.10\n", *ALL) == {"gate": "cut"}

    def test_any_denies_by_default(self) -> None:
        found = looked("permit 192.0.2.10\ndeny any", *ALL)
        assert found.denies_by_default and found.shares[6].everything == 1
        assert {each.entry.id for each in found.found} == {"web", "six"}


class TestTable:
    @pytest.mark.parametrize(
        ("text", "hit"),
        [
            ("prefix,protocol,port\n192.0.2.10,udp,51820\n", {"gate": "cut"}),
            ("Action;IP Address\ndeny;192.0.2.0/24\npermit;198.51.100.1\n", {"gate": "cut", "web": "cut"}),
            ("src,dst,proto,dport,action\nany,192.0.2.11/32,tcp,443,drop\nany,any,any,,accept\n", {"web": "cut"}),
            ('note\tblock\n"two\nlines"\t192.0.2.10\n', {"gate": "cut"}),
            ("\ufeffprefix,action\n2001:db8:7::/48,limit\n", {"six": "affected"}),
            # What it spares, it spares at one interface alone.
            (
                "prefix,action,interface\n192.0.2.10,permit,wan\n192.0.2.0/24,deny,\n",
                {"gate": "affected", "web": "cut"},
            ),
            ("prefix,action,note\n192.0.2.10,permit,ours\n192.0.2.0/24,deny,\n", {"web": "cut"}),
        ],
    )
    def test_goes_by_the_names_of_its_columns(self, text: str, hit: dict[str, str]) -> None:
        assert states(text, *ALL, syntax=Syntax.CSV) == hit

    def test_is_guessed_by_its_names(self) -> None:
        assert read(b"prefix,protocol\n192.0.2.1,udp\n").syntax is Syntax.CSV
        assert read(b"192.0.2.1,udp\n").syntax is Syntax.LINES

    def test_names_rows_that_are_not_understood(self) -> None:
        text = "prefix,action\n192.0.2.1,explode\n,deny\n192.0.2.1/33,deny\n"
        assert unread(text) == [
            (2, Trouble.WORD, "explode"),
            (3, Trouble.NO_ADDRESS, ""),
            (4, Trouble.ADDRESS, "192.0.2.1/33"),
        ]
        assert unread("name,colour\nx,y\n", Syntax.CSV) == [(1, Trouble.COLUMNS, "name,colour")]


class TestRpsl:
    TEXT = """\
route:      192.0.2.0/25
descr:      Sample Fibre
origin:     AS64500
mnt-by:     SAMPLE-MNT
source:     SAMPLE
delete:     sample@example.org moved

route6:     2001:db8:7::/48
origin:     AS64500

route-set:  RS-SAMPLE
members:    198.51.100.0/24^25-32, RS-INNER,
            203.0.113.0/24
mp-members: RS-ELSEWHERE
mp-members: AS64501

route-set:  RS-INNER
members:    203.0.113.7/32^+

person:     Somebody
address:    Nowhere
"""

    def test_takes_away_what_is_announced(self) -> None:
        others = (held("198.51.100.7", id="of-the-set"), held("203.0.113.9", id="further-line"))
        assert states(self.TEXT, *ALL, *others) == dict.fromkeys(
            ["gate", "web", "six", "of-the-set", "further-line"], "cut"
        )

    def test_names_what_it_does_not_know(self) -> None:
        assert unread(self.TEXT) == [
            (14, Trouble.NOT_IN_FILE, "RS-ELSEWHERE"),
            (15, Trouble.NOT_IN_FILE, "AS64501"),
            (20, Trouble.WORD, "person"),
        ]
        assert read(self.TEXT.encode()).rules == 5
