"""Rules as devices have them: what each way to write them does, and what is named as not understood."""

import pytest

from rahdari.preflight import Syntax, Trouble, read
from tests.preflight.editions import held, looked, states

GATE = held("192.0.2.10", "udp", 51820, id="gate")
WEB = held("192.0.2.11", "tcp", 443, id="web")
IPSEC = held("192.0.2.12", "esp", id="ipsec")
SIX = held("2001:db8:7::1", "udp", 500, id="six")
ALL = (GATE, WEB, IPSEC, SIX)
EVERYBODY = {"gate", "web", "ipsec", "six"}


def unread(text: str) -> list[tuple[int, Trouble, str]]:
    return [(each.line, each.trouble, each.near) for each in read(text.encode()).unread]


class TestNftables:
    @staticmethod
    def chain(*rules: str, before: str = "") -> str:
        return "\n".join(
            [
                "table inet f {",
                before,
                "chain c {",
                "type filter hook forward priority 0; policy accept;",
                *rules,
                "}",
                "}",
            ]
        )

    @pytest.mark.parametrize(
        ("rule", "hit"),
        [
            ("ip daddr 192.0.2.10 drop", {"gate": "cut"}),
            ("ip saddr { 192.0.2.10, 192.0.2.12-192.0.2.13 } counter packets 0 bytes 0 reject", {"gate", "ipsec"}),
            ("udp dport 51820 drop", {"gate": "cut"}),
            ("udp sport { 500, 4500 } drop", {"six": "cut"}),
            ('th dport 443 log prefix "x y" level warn flags all drop', {"web": "cut"}),
            ("meta l4proto esp drop", {"ipsec": "cut"}),
            ("ip protocol != { tcp, udp } drop", {"ipsec": "cut"}),
            ("ip6 daddr 2001:db8::/32 udp dport isakmp drop", {"six": "cut"}),
            # What comes from it, and goes elsewhere, is dropped too.
            ("ip daddr != 192.0.2.10 drop", {"web": "cut", "ipsec": "cut", "gate": "affected"}),
            ("ip daddr . udp dport { 192.0.2.10 . 51820, 192.0.2.11 . 443 } drop", {"gate": "cut"}),
            ("ip daddr vmap { 192.0.2.10 : drop, 192.0.2.11 : accept, 192.0.2.0/24 : continue }", {"gate": "cut"}),
            ("tcp dport < 1024 drop", {"web": "cut"}),
            ('iifname "wan0" ip daddr 192.0.2.10 drop', {"gate": "affected"}),
            ("ip daddr 192.0.2.10 limit rate over 1 mbytes/second burst 5 packets drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 udp dport 51820 dnat to 198.51.100.1", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 ct state new,invalid drop", {"gate": "cut"}),
            ("ct state invalid drop", {}),
            ("tcp flags & (fin|syn|rst|ack) != syn ct state new drop", {}),
            ("ip frag-off & 0x1fff != 0 drop", {}),
            ("fib saddr . iif oif missing drop", {}),
            ("icmp type echo-request drop", {}),
            ("meta nfproto ipv6 drop", {"six": "cut"}),
            ("ip dscp set cs1 ip daddr 192.0.2.10 meta mark set 0x1 drop", {"gate": "cut"}),
            ("ip daddr 192.0.2.0/24 return\nip daddr 192.0.2.10 drop", {}),
            ("ip daddr @ours drop", {"gate": "cut", "web": "cut"}),
            (
                "ip daddr . meta l4proto . th dport @three accept\nip daddr 192.0.2.0/24 drop",
                {"web": "cut", "ipsec": "cut"},
            ),
            ("ip saddr @three drop", {"gate": "cut"}),
        ],
    )
    def test_a_rule_does_what_it_says(self, rule: str, hit: "dict[str, str] | set[str]") -> None:
        sets = (
            "set ours { type ipv4_addr; flags interval;\n"
            'elements = { 192.0.2.10 timeout 1h, 192.0.2.11 comment "x" } }\n'
            "set three { typeof ip daddr . meta l4proto . th dport; elements = { 192.0.2.10 . udp . 51820 } }"
        )
        text = self.chain(rule, before=sets)
        found = states(text, *ALL)
        assert unread(text) == []
        assert (set(found) if isinstance(hit, set) else found) == hit

    @pytest.mark.parametrize(
        ("rule", "hit"),
        [
            # The first message of WireGuard is known by its length.
            ("ip daddr 192.0.2.10 udp length 156 drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 meta length 176 drop", {"gate": "affected"}),
            ("ip length 176 ip daddr 192.0.2.10 drop", {"gate": "affected"}),
            ("udp length 156 drop", {"gate": "affected", "six": "affected"}),
            ("udp checksum 0 drop", {"gate": "affected", "six": "affected"}),
            ("ip daddr 192.0.2.10 meta random < 10 drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 meta random & 1 == 1 drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 meta secmark 1 drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 meta pkttype host drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 meta pkttype { broadcast, multicast } drop", {}),
            ("ip daddr 192.0.2.10 ip ttl < 5 drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 ct direction reply drop", {"gate": "affected"}),
            ("ip daddr 192.0.2.10 fib daddr . iif type != { local, broadcast } drop", {"gate": "affected"}),
            ("ip6 daddr 2001:db8::/32 exthdr hbh missing drop", {"six": "affected"}),
            ("ip6 daddr 2001:db8::/32 exthdr hbh exists drop", {}),
            ("ip daddr 192.0.2.10 ether type 8021q drop", {"gate": "affected"}),
            ("meta ipsec missing drop", {"gate", "web", "ipsec", "six"}),
            ("ip daddr 192.0.2.10 meta ipsec exists drop", {"gate": "affected"}),
            # Without these packets no connection goes on.
            ("ip daddr 192.0.2.10 ct state established drop", {"gate": "cut"}),
            ("ct state established,related drop", {"gate", "web", "ipsec", "six"}),
            ("ct state new accept\ndrop", {"gate", "web", "ipsec", "six"}),
            ("tcp flags & ack == ack drop", {"web": "cut"}),
            ("tcp flags syn / fin,syn,rst,ack drop", {"web": "cut"}),
            ("tcp flags syn drop", {"web": "cut"}),
            ("tcp flags & (syn | ack) == (syn | ack) drop", {"web": "affected"}),
            ("tcp flags & (fin|syn) == (fin|syn) drop", {}),
            ("tcp flags == 0x0 drop", {}),
            # All but one port is not "the other end".
            ("tcp dport != 443 drop", {"web": "affected"}),
            ("tcp sport 0-30000 drop\ntcp sport 30001-60000 drop", {"web": "cut"}),
            ("udp sport 30000-30010 drop", {}),
            ("udp sport 32768-65535 drop", {"gate": "cut", "six": "affected"}),
            ("ip saddr 128.0.0.0/1 ip saddr != 192.0.0.0/8 drop", {"gate", "web", "ipsec"}),
            # What nobody should send from.
            ("ip saddr { 0.0.0.0/8, 10.0.0.0/8, 127.0.0.0/8, 224.0.0.0/3 } drop", {}),
            ("meta l4proto != { tcp, udp, sctp } drop", {"ipsec": "cut"}),
            ("ip daddr 192.0.2.10 add @seen { ip saddr limit rate 5/second } accept\nip daddr 192.0.2.10 drop",
             {"gate": "affected"}),
        ],
    )  # fmt: skip
    def test_what_is_not_known_to_be_harmless_is_a_condition(self, rule: str, hit: "dict[str, str] | set[str]") -> None:
        found = states(self.chain(rule), *ALL)
        assert unread(self.chain(rule)) == []
        assert (set(found) if isinstance(hit, set) else found) == hit

    @pytest.mark.parametrize(
        "rule",
        [
            "ip daddr set 198.51.100.1",
            "ip ttl set 1",
            "tcp option sack-perm missing drop",
            "@th,64,8 1 drop",
            "socket wildcard drop",
        ],
    )
    def test_what_is_written_into_packets_and_not_known_is_named(self, rule: str) -> None:
        assert [line for line, *_ in unread(self.chain(rule))] == [5]

    @pytest.mark.parametrize("hook", ["prerouting priority raw", "ingress priority 0"])
    def test_before_connections_are_followed_their_state_is_a_condition(self, hook: str) -> None:
        family = "netdev" if "ingress" in hook else "inet"
        text = (
            f"table {family} f {{\nchain c {{\ntype filter hook {hook}; policy accept;\nct state invalid drop\n}}\n}}\n"
        )
        assert set(states(text, *ALL).values()) == {"affected"}

    def test_a_rule_of_a_chain_that_is_not_there_is_judged(self) -> None:
        assert states("add rule inet f forward ip daddr 192.0.2.10 drop\n", *ALL) == {"gate": "cut"}
        unhooked = "table inet f {\nchain c {\nip daddr 192.0.2.10 drop\n}\n}\n"
        assert states(unhooked, *ALL) == {"gate": "cut"}

    def test_a_return_under_a_condition_may_or_may_not_be(self) -> None:
        sub = "chain s {\nmeta mark 1 return\naccept\n}"
        text = self.chain("jump s", "ip daddr 192.0.2.10 drop", before=sub)
        assert states(text, *ALL) == {"gate": "affected"}

    @pytest.mark.parametrize("six", ["", "6"])
    def test_a_rule_that_was_lost_in_translation_is_named(self, six: str) -> None:
        head = f"# Translated by ip{six}tables-restore-translate v1.8.9 on Wed Dec  2 20:00:00 2026\n"
        body = "add table ip filter\nadd chain ip filter F { type filter hook forward priority 0; policy accept; }\n"
        lost = "# -t filter -A FORWARD -p udp -m string --string x --algo bm -j DROP\n"
        whole = "# Completed on Wed Dec  2 20:00:00 2026\n"
        assert unread(head + body + whole) == []
        assert unread(head + body + lost + whole) == [(4, Trouble.NOT_TRANSLATED, "")]
        assert unread(head + body) == [(3, Trouble.CUT_SHORT, "")]
        # By itself it is a comment.
        assert unread(body + lost) == []

    def test_a_match_that_the_lister_did_not_know_is_named(self) -> None:
        assert unread(self.chain("meta l4proto udp # xt_string counter drop")) == [(5, Trouble.NOT_TRANSLATED, "")]

    def test_commands_add_to_what_stands_and_go_before_it(self) -> None:
        text = (
            "add table inet f\nadd chain inet f c { type filter hook forward priority 0; policy accept; }\n"
            "add set inet f s { type ipv4_addr; }\nadd element inet f s { 192.0.2.10, 192.0.2.11 }\n"
            "add rule inet f c ip daddr @s drop\ninsert rule inet f c position 4 ip daddr 192.0.2.11 accept\n"
            "nft add rule inet f c ip daddr 192.0.2.12 drop\n"
        )
        assert states(text, *ALL) == {"gate": "cut", "ipsec": "cut"}
        assert unread(text) == []

    def test_says_which_rules_hold_for_the_machine_alone(self) -> None:
        text = "table inet f {\nchain i {\ntype filter hook input priority 0; policy drop;\ntcp dport 22 accept\n}\n}\n"
        found = looked(text, *ALL)
        assert (found.change.of_the_machine, found.cut, found.denies_by_default) == (1, 0, False)

    def test_names_each_line_that_is_not_understood_and_reads_the_rest(self) -> None:
        text = self.chain(
            "ip daddr 192.0.2.10 drop",
            "ip daddr vpn.example drop",
            "ip daddr @elsewhere drop",
            "jump nowhere",
            "frobnicate 3 drop",
            "udp dport 99999 drop",
            "ip daddr $OURS drop",
            before='include "/etc/nft/more.nft"',
        )
        assert unread(text) == [
            (2, Trouble.WORD, "include"),
            (6, Trouble.HOST_NAME, "vpn.example"),
            (7, Trouble.NOT_IN_FILE, "@elsewhere"),
            (8, Trouble.NOT_IN_FILE, "nowhere"),
            (9, Trouble.WORD, "frobnicate"),
            (10, Trouble.PORT, "99999"),
            (11, Trouble.NOT_IN_FILE, "$OURS"),
        ]
        assert states(text, *ALL) == {"gate": "cut"}

    def test_an_element_that_is_not_understood_is_named_where_it_stands(self) -> None:
        sets = "set s { type ipv4_addr; elements = { 192.0.2.10,\n192.0.2.999,\n192.0.2.11 } }"
        text = self.chain("ip daddr @s drop", before=sets)
        assert unread(text) == [(3, Trouble.ADDRESS, "192.0.2.999")]
        assert states(text, *ALL) == {"gate": "cut", "web": "cut"}

    def test_takes_nothing_away_that_it_does_not_see(self) -> None:
        text = "delete rule inet f c handle 7\nflush ruleset\ndelete table inet f\n" + self.chain(
            "udp dport 51820 drop"
        )
        assert unread(text) == [(1, Trouble.REMOVAL, "inet")]
        assert states(text, *ALL) == {"gate": "cut"}


class TestCisco:
    @pytest.mark.parametrize(
        ("entry", "hit"),
        [
            ("deny udp any host 192.0.2.10 eq 51820", {"gate": "cut"}),
            ("10 deny ip 192.0.2.10 0.0.0.1 any log", {"gate": "cut", "web": "cut"}),
            ("deny tcp any range 1024 65535 any eq www 443", {"web": "affected"}),
            ("deny esp any 192.0.2.0/24", {"ipsec": "cut"}),
            ("deny 50 any any", {"ipsec": "cut"}),
            ("deny udp any any gt 50000", {"gate": "cut"}),
            ("deny udp any any neq 53", {"gate": "cut"}),
            ("deny ip any host 192.0.2.10 dscp ef", {"gate": "affected"}),
            ("deny ip any host 192.0.2.10 time-range NIGHT log-input", {"gate": "affected"}),
            ("deny ip any any fragments", {}),
            ("deny icmp any any echo-reply", {}),
            ("deny tcp host 192.0.2.11 any established", {"web": "affected"}),
            ("deny tcp any host 192.0.2.11 ack", {"web": "cut"}),
            ("deny tcp any host 192.0.2.11 psh", {"web": "affected"}),
            ("deny tcp any host 192.0.2.11 syn", {"web": "cut"}),
            ("deny tcp any host 192.0.2.11 match-all +syn -ack", {"web": "cut"}),
            ("deny tcp any any match-all +syn +fin", {}),
            ("deny ip any host 192.0.2.10 ttl lt 5", {"gate": "affected"}),
            ("deny ip any host 192.0.2.10 packet-length range 100 200", {"gate": "affected"}),
            ("deny ip any any option any-options", {}),
            # Every odd address.
            ("deny ip any 192.0.2.1 0.0.0.254", {"web": "cut"}),
            ("remark deny ip any any", {}),
            ("deny ip any object-group OURS", {"gate": "cut", "web": "cut"}),
            ("deny object-group VPN any any", {"gate": "cut", "ipsec": "cut"}),
            ("permit ip any any nexthop1 ipv4 198.51.100.1", {"gate", "web", "ipsec"}),
        ],
    )
    def test_an_entry_does_what_it_says(self, entry: str, hit: "dict[str, str] | set[str]") -> None:
        text = (
            "object-group network OURS\n host 192.0.2.10\n group-object INNER\n"
            "object-group network INNER\n 192.0.2.11 255.255.255.255\n"
            "object-group service VPN\n esp\n udp eq 51820\n"
            f"ip access-list extended X\n {entry}\n permit ip any any\n!\nend\n"
        )
        found = states(text, *ALL)
        assert unread(text) == []
        assert (set(found) if isinstance(hit, set) else found) == hit

    @pytest.mark.parametrize(
        "text",
        [
            "access-list 10 deny 192.0.2.10\naccess-list 10 permit any\n",
            "ip access-list standard 10\n deny host 192.0.2.10\n permit any\n",
            "no access-list 110\naccess-list 110 deny ip any host 192.0.2.10\naccess-list 110 permit ip any any",
            "Extended IP access list X\n    10 deny ip any host 192.0.2.10 (17 matches)\n    20 permit ip any any\n",
            "ipv4 access-list X\n 10 deny ipv4 host 192.0.2.10 any\n 20 permit ipv4 any any\n!\ncommit\n",
            "ip access-list X\n  statistics per-entry\n  10 deny ip any 192.0.2.10/32\n  20 permit ip any any\n",
            "ip route 192.0.2.10 255.255.255.255 Null0 name gone\n",
            "ip route vrf RED 192.0.2.10/32 null0\n",
        ],
    )
    def test_each_release_is_read(self, text: str) -> None:
        assert read(text.encode()).syntax is Syntax.CISCO
        assert (states(text, *ALL), unread(text)) == ({"gate": "cut"}, [])

    def test_a_list_for_ipv6_says_nothing_of_ipv4(self) -> None:
        text = "ipv6 access-list V6\n deny udp any host 2001:DB8:7::1 eq 500\n permit ipv6 any any\n"
        assert states(text, *ALL) == {"six": "cut"}

    def test_what_guards_the_device_itself_is_not_judged(self) -> None:
        listed = "ip access-list extended ADMIN\n permit tcp 198.51.100.0 0.0.0.255 any eq 22\n"
        text = f"{listed}line vty 0 4\n access-class ADMIN in\n"
        found = looked(text, *ALL)
        assert (found.cut, found.change.of_the_machine, found.change.unread_count) == (0, 1, 0)

    def test_names_each_line_that_is_not_understood(self) -> None:
        text = (
            "ip access-list extended X\n deny ip any 192.0.2.0 255.255.255.0\n deny ip any 192.0.2.0 0.255.255.0\n"
            " deny quic any any\n deny udp any any eq nothing\n deny ip any object-group GONE\n no deny ip any any\n"
            " deny ip any host vpn.example\n deny ip any any frobnicate\nrouter bgp 64500\n permit ip any any\n"
        )
        assert unread(text) == [
            (2, Trouble.MASK, "255.255.255.0"),
            (3, Trouble.MASK, "0.255.255.0"),
            (4, Trouble.PROTOCOL, "quic"),
            (5, Trouble.PORT, "nothing"),
            (6, Trouble.NOT_IN_FILE, "GONE"),
            (7, Trouble.REMOVAL, "no deny ip any any"),
            (8, Trouble.HOST_NAME, "vpn.example"),
            (9, Trouble.WORD, "frobnicate"),
            (10, Trouble.WORD, "router"),
        ]


class TestJunos:
    @staticmethod
    def filter(matches: str, then: str = "discard;", before: str = "") -> str:
        terms = f"term t {{ from {{ {matches} }} then {{ {then} }} }}\nterm rest {{ then accept; }}"
        return f"{before}\nfirewall {{ family inet {{ filter F {{\n{terms} }} }} }}"

    @pytest.mark.parametrize(
        ("matches", "then", "hit"),
        [
            ("destination-address { 192.0.2.10/32; 192.0.2.12/32; }", "discard;", {"gate": "cut", "ipsec": "cut"}),
            ("address 192.0.2.10;", "reject tcp-reset;", {"gate": "cut"}),
            ("source-prefix-list { OURS; }", "count x; log; discard;", {"web": "cut"}),
            (
                "destination-address { 192.0.2.0/24; 192.0.2.11/32 except; }",
                "discard;",
                {"gate": "cut", "ipsec": "cut"},
            ),
            ("protocol udp; port [ 53 51820 ];", "discard;", {"gate": "cut"}),
            ("protocol-except [ tcp udp ];", "discard;", {"ipsec": "cut"}),
            ("protocol tcp; destination-port 1-1023;", "discard;", {"web": "cut"}),
            ("destination-address 192.0.2.10/32; interface ge-0/0/0.0;", "discard;", {"gate": "affected"}),
            ("destination-address 192.0.2.10/32;", "policer SLOW; accept;", {"gate": "affected"}),
            ("destination-address 192.0.2.10/32;", "routing-instance WASH;", {"gate": "affected"}),
            ("destination-address 192.0.2.10/32;", "count x; next term;", {}),
            ("is-fragment;", "discard;", {}),
            ("destination-address 192.0.2.10/32; packet-length 176;", "discard;", {"gate": "affected"}),
            ("destination-address 192.0.2.10/32; first-fragment;", "discard;", {"gate": "affected"}),
            ("destination-address 192.0.2.10/32; ttl 1-5;", "discard;", {"gate": "affected"}),
            ("destination-address 192.0.2.11/32; protocol tcp; tcp-flags ack;", "discard;", {"web": "cut"}),
            ('protocol tcp; tcp-flags "(syn & fin)";', "discard;", {}),
            ("protocol icmp; icmp-type echo-request;", "discard;", {}),
            ('protocol tcp; tcp-flags "(syn & !ack)";', "discard;", {"web": "cut"}),
            ("protocol tcp; tcp-established;", "discard;", {"web": "affected"}),
        ],
    )
    def test_a_term_does_what_it_says(self, matches: str, then: str, hit: dict[str, str]) -> None:
        text = self.filter(matches, then, "policy-options { prefix-list OURS { 192.0.2.11/32; } }")
        assert unread(text) == []
        assert states(text, *ALL) == hit

    def test_what_is_inactive_is_left_out(self) -> None:
        text = self.filter("destination-address 192.0.2.10/32;").replace("term t", "inactive: term t")
        assert states(text, *ALL) == {}
        lines = (
            "set firewall family inet filter F term t from destination-address 192.0.2.10/32\n"
            "set firewall family inet filter F term t then discard\n"
            "set firewall family inet filter F term r then accept\n"
        )
        assert states(lines, *ALL) == {"gate": "cut"}
        assert states(lines + "deactivate firewall family inet filter F term t\n", *ALL) == {}

    def test_a_filter_on_the_loopback_guards_the_device(self) -> None:
        text = "set firewall family inet filter RE term a then discard\n"
        assert states(text + "set interfaces lo0 unit 0 family inet filter input RE\n", *ALL) == {}
        assert set(states(text, *ALL)) == {"gate", "web", "ipsec"}

    def test_static_routes_that_discard_cut_what_they_lead_to(self) -> None:
        assert states("set routing-options static route 192.0.2.10/32 discard\n", *ALL) == {"gate": "cut"}

    def test_what_may_stop_traffic_beside_filters_is_named_or_counted(self) -> None:
        assert unread("set security policies from-zone a to-zone b policy p then deny\nset firewall filter F\n") == [
            (1, Trouble.WORD, "security")
        ]
        assert [line for line, *_ in unread("set interfaces ge-0/0/0 disable\nset firewall filter F\n")] == [1]
        assert states("set routing-options static route 192.0.2.10/32 next-hop 198.51.100.1\n", *ALL) == {
            "gate": "affected"
        }
        assert states("set routing-options static route 0.0.0.0/0 next-hop 198.51.100.1\n", *ALL) == {}

    def test_names_each_line_that_is_not_understood(self) -> None:
        text = (
            "set firewall family inet filter F term a from destination-address vpn.example\n"
            "set firewall family inet filter F term a from prefix-list GONE\n"
            "set firewall family inet filter F term a from frobnicate 3\n"
            "set firewall family inet filter F term a then discard\n"
            "set firewall family inet filter F term b then explode\n"
            "set firewall family ethernet-switching filter F term b then discard\n"
            "set protocols bgp group X\n"
            "show configuration\n"
        )
        assert unread(text) == [
            (1, Trouble.HOST_NAME, "vpn.example"),
            (2, Trouble.NOT_IN_FILE, "GONE"),
            (3, Trouble.WORD, "frobnicate"),
            (5, Trouble.WORD, "explode"),
            (6, Trouble.WORD, "ethernet-switching"),
            (7, Trouble.WORD, "protocols"),
            (8, Trouble.WORD, "show"),
        ]


class TestMikrotik:
    @pytest.mark.parametrize(
        ("rule", "hit"),
        [
            ("action=drop chain=forward dst-address=192.0.2.10", {"gate": "cut"}),
            ("chain=forward action=reject src-address=192.0.2.11-192.0.2.12 reject-with=tcp-reset", {"web", "ipsec"}),
            ("action=drop chain=forward protocol=udp dst-port=500,51820", {"gate": "cut"}),
            ('action=drop chain=forward protocol=ipsec-esp comment="no = more"', {"ipsec": "cut"}),
            ("action=drop chain=forward dst-address-list=ours", {"gate": "cut", "ipsec": "cut"}),
            ("action=drop chain=forward dst-address=!192.0.2.10", {"web": "cut", "ipsec": "cut", "gate": "affected"}),
            ("action=drop chain=forward protocol=tcp port=443", {"web": "cut"}),
            ("action=drop chain=forward dst-address=192.0.2.10 in-interface=ether1", {"gate": "affected"}),
            ("action=drop chain=forward dst-address=192.0.2.10 limit=10,5:packet", {"gate": "affected"}),
            ("action=drop chain=forward dst-address=192.0.2.10 disabled=yes", {}),
            ("action=drop chain=forward connection-state=invalid", {}),
            ("action=drop chain=input", {}),
            ("action=drop chain=forward dst-address=192.0.2.10 packet-size=176", {"gate": "affected"}),
            ("action=drop chain=forward dst-address=192.0.2.10 ttl=less-than:5", {"gate": "affected"}),
            ("action=drop chain=forward fragment=yes", {}),
            ("action=drop chain=forward dst-address=192.0.2.10 connection-state=established", {"gate": "cut"}),
            ("action=drop chain=forward protocol=tcp tcp-flags=syn,fin", {}),
            ("action=drop chain=forward protocol=tcp tcp-flags=ack", {"web": "cut"}),
            ("action=drop chain=elsewhere dst-address=192.0.2.10", {"gate": "cut"}),
            ("action=add-dst-to-address-list address-list=seen chain=forward", {}),
            ("action=drop chain=forward \\\n    dst-address=192.0.2.10", {"gate": "cut"}),
        ],
    )
    def test_a_rule_does_what_it_says(self, rule: str, hit: "dict[str, str] | set[str]") -> None:
        lists = "/ip firewall address-list\nadd list=ours address=192.0.2.10\nadd list=ours address=192.0.2.12/32\n"
        text = f"# by RouterOS 7.20\n{lists}/ip firewall filter\nadd {rule}\n"
        found = states(text, *ALL)
        assert unread(text) == []
        assert (set(found) if isinstance(hit, set) else found) == hit

    def test_menus_may_stand_on_the_line(self) -> None:
        text = "/ipv6/firewall/filter/add chain=forward action=drop dst-address=2001:db8:7::/48\n"
        spaced = "/ipv6 firewall filter add chain=forward action=drop dst-address=2001:db8:7::/48\n"
        assert states(text, *ALL) == states(spaced, *ALL) == {"six": "cut"}
        assert states("/ip route add dst-address=192.0.2.10/32 blackhole=yes\n", *ALL) == {"gate": "cut"}
        assert states("/ip route add dst-address=192.0.2.10/32 gateway=198.51.100.1\n", *ALL) == {"gate": "affected"}
        assert states("/ip route add dst-address=0.0.0.0/0 gateway=198.51.100.1\n", *ALL) == {}
        assert set(states("/ip firewall raw add chain=prerouting connection-state=invalid action=drop\n", *ALL)) == {
            "gate", "web", "ipsec"
        }  # fmt: skip
        nat = "/ip firewall nat add chain=dstnat action=dst-nat dst-address=192.0.2.10 to-addresses=198.51.100.1\n"
        assert states(nat, *ALL) == {"gate": "affected"}

    def test_names_each_line_that_is_not_understood(self) -> None:
        text = (
            "/ip firewall filter\nadd chain=forward action=explode\n"
            "add chain=forward action=drop src-address-list=gone\n"
            "add chain=forward action=jump jump-target=nowhere\nset [find] disabled=yes\nadd action=drop\n"
            "add chain=forward action=drop frob=1\n/interface bridge\nadd name=bridge1\n"
        )
        assert unread(text) == [
            (2, Trouble.WORD, "explode"),
            (3, Trouble.NOT_IN_FILE, "gone"),
            (4, Trouble.NOT_IN_FILE, "nowhere"),
            (5, Trouble.REMOVAL, "set"),
            (6, Trouble.NO_ACTION, "chain"),
            (7, Trouble.WORD, "frob"),
            (9, Trouble.WORD, "/interface bridge"),
        ]
