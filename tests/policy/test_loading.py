"""What a policy file may say, what stops it, and what happens to the one in force."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from rahdari import policy
from rahdari.policy import BUNDLED, GUARDS, PolicyError, Problem

TEXT = BUNDLED.read_text(encoding="utf-8")
REPRESENTS = '[[services.vpn_company.checks]]\nkind = "represents"'


def changed(old: str, new: str, *, after: str = "") -> str:
    """The bundled file with one thing changed: the first occurrence, if wanted after a marker."""
    start = TEXT.index(after)
    at = TEXT.index(old, start)
    return TEXT[:at] + new + TEXT[at + len(old) :]


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        policy.read(text)
    return caught.value.problems


def line_of(text: str, fragment: str, *, after: str = "") -> int:
    return text[: text.index(fragment, text.index(after))].count("\n") + 1


class TestTheBundledPolicy:
    def test_is_in_force_while_there_is_no_other(self) -> None:
        assert policy.current(None).demonstration
        assert policy.current(Path("/nonexistent/policy.toml")) is policy.current(None)

    def test_opens_the_four_services_and_those_of_banks_missions_and_public_bodies(self) -> None:
        services = policy.current(None).services
        assert [key for key, service in services.items() if service.open] == [
            "vpn_company",
            "vpn_freelancer",
            "whitelist_call_centre",
            "whitelist_video",
            "vpn_bank",
            "vpn_mission",
            "vpn_public_body",
        ]

    def test_lets_a_certificate_follow_and_asks_for_its_last_day(self) -> None:
        call_centre = policy.current(None).services["whitelist_call_centre"]
        certificate = call_centre.document("call_centre_certificate")
        assert certificate is not None and certificate.expires and certificate.may_follow
        assert certificate not in call_centre.missing_documents(set())
        assert call_centre.still_to_follow({"incorporation"}) == (certificate,)
        assert call_centre.still_to_follow({"call_centre_certificate"}) == ()

    @pytest.mark.parametrize(
        ("old", "new", "after", "said"),
        [
            ('provisional = { after = "", reason = "P2" }', "", "[services.vpn_freelancer]", "Evidence of provisional"),
            ('provisional = { after = "", reason = "P2" }', "", "[services.whitelist_call_centre]", "may follow"),
            ("own_list = false", "own_list = true", "[licensees]", "names every licensee"),
            ('licence = "data"', 'licence = "other"', "[licensees]", "No licence 'other' is described here"),
            ('key = "ntc"', 'key = "ptcl"', "[licensees]", "stands twice"),
            ('ground = "draft"', 'ground = "said"', "[licensees]", "is not one of"),
            ('kind = "employer"', 'kind = "origin"', "[services.vpn_freelancer]", "needs a check"),
            ('wants = "declaration"', 'wants = "text"', "[services.vpn_freelancer]", "A declaration, and nothing else"),
            ("remind_after = { length = 5", "remind_after = { length = 9", "[vouching]", "before the link ends"),
            # What is public of an organisation is enough for nobody.
            ("required = true", "required = false", REPRESENTS, "numbers of organisations are public"),
            ('roster = "companies"', "", REPRESENTS, "compares number and name"),
            ("read_by_officer = true", "", "[services.vpn_mission]", "numbers of organisations are public"),
        ],
    )
    def test_refuses_parts_that_do_not_fit_together(self, old: str, new: str, after: str, said: str) -> None:
        problems = problems_of(changed(old, new, after=after))
        assert any(said in problem.message for problem in problems), problems

    def test_names_licensed_providers_with_who_reported_them_and_when(self) -> None:
        known = policy.current(None).licensees
        assert known is not None and not known.own_list and known.reported >= len(known.providers) > 0
        assert all(one.reported_by and one.reported_on <= known.as_of for one in known.providers)

    def test_asks_nobody_for_the_picture_of_a_card(self) -> None:
        for service in policy.current(None).services.values():
            for document in service.documents:
                assert "card" not in document.title.en.lower()

    def test_names_provision_remedy_and_evidence_for_each_code_against_somebody(self) -> None:
        rules = policy.current(None)
        adverse = [reason for reason in rules.reasons.values() if reason.is_adverse]
        assert {reason.code for reason in adverse} >= {f"R{number}" for number in range(1, 11)}
        for reason in adverse:
            assert reason.provisions and reason.remedies and reason.evidence
            assert {"telecom_act:6(d)", "general_clauses:24A"} <= set(reason.provisions)
            for reference in reason.provisions:
                assert rules.provision(reference).name("ur")
        for reason in adverse:
            if reason.kind == "refusal":
                assert reason.notice is not None and reason.second_officer and "appeal" in reason.remedies

    def test_keeps_unconfirmed_codes_out_of_production(self) -> None:
        rules = policy.current(None)
        production = {reason.code for reason in rules.reasons_of_kind("refusal", confirm_allowed=False)}
        assert production == {"R5", "R10"}
        assert len(rules.reasons_of_kind("refusal", confirm_allowed=True)) == 10

    def test_lists_what_the_law_officer_has_to_sign(self) -> None:
        assert len(policy.current(None).open_items()) == 16

    def test_charges_only_from_the_fifth_address_and_counts_earlier_ones(self) -> None:
        services = policy.current(None).services
        assert not services["vpn_company"].fee.is_due(count=50)
        assert not services["whitelist_call_centre"].fee.is_due(count=4)
        assert services["whitelist_call_centre"].fee.is_due(count=2, earlier=3)

    def test_accepts_either_of_two_documents(self) -> None:
        company = policy.current(None).services["vpn_company"]
        assert [rule.key for rule in company.missing_documents(frozenset())] == ["incorporation", "taxpayer_proof"]
        assert company.missing_documents({"taxpayer_proof"}) == ()


class TestFreeze:
    def test_gives_the_same_policy_back(self) -> None:
        rules = policy.current(None)
        assert policy.thaw(policy.freeze(rules)) == rules

    def test_is_canonical_so_that_comments_and_order_change_no_digest(self) -> None:
        rules = policy.current(None)
        shuffled = policy.read(
            "# another comment\n"
            + TEXT.replace("format = 1\n", "", 1).replace("\nversion =", "\nformat = 1\nversion =", 1)
        )
        assert policy.freeze(shuffled) == policy.freeze(rules)
        assert shuffled.digest == rules.digest
        assert json.loads(policy.freeze(rules))["format"] == 1

    def test_tells_two_policies_apart_by_one_letter(self) -> None:
        other = policy.read(changed("Demonstration Authority", "Demonstration Authority 2"))
        assert other.digest != policy.current(None).digest

    def test_stays_readable_when_a_later_version_would_refuse_it(self) -> None:
        frozen = json.loads(policy.freeze(policy.current(None)))
        frozen["guards"] = ["a_guard_of_former_days"]
        frozen["something_dropped"] = True
        assert policy.thaw(json.dumps(frozen)).guards == ("a_guard_of_former_days",)


ALWAYS = '"telecom_act:6(b)", "telecom_act:6(c)", "telecom_act:6(d)", "general_clauses:24A"'
REFUSED = [
    # what is changed, into what, after which marker, which words the message must hold
    (
        f'provisions = ["telecom_act:20(1)", {ALWAYS}]',
        "provisions = []",
        "[reasons.R10]",
        "must name its provision",
    ),
    (
        'remedies = ["licence", "appeal", "new_application", "ombudsman"]',
        "remedies = []",
        "[reasons.R10]",
        "at least one remedy",
    ),
    ('evidence = ["own_words"]', "evidence = []", "[reasons.R10]", "what has to stand in the file"),
    (', ur = "آپ کی شناخت کی تصدیق نہیں ہو سکی۔" }', " }", "[reasons.R5]", "A text is missing"),
    ('ur = "آپ کی شناخت کی تصدیق نہیں ہو سکی۔"', 'ur = ""', "[reasons.R5]", "This text is empty"),
    ('ur = "آپ کی شناخت کی تصدیق نہیں ہو سکی۔"', 'ur = "Your identity"', "[reasons.R5]", "no Urdu letter"),
    (
        'decided_by = { rank = "officer"',
        'decided_by = { rule = true, rank = "officer"',
        "[reasons.R1]",
        "A rule may grant, never refuse",
    ),
    ('sits = "authority"', 'sits = "officer"', "[forums.authority]", "never goes to whoever decided"),
    ('sits = "tribunal"', 'sits = "authority"', "[forums.tribunal]", "never goes to whoever decided"),
    ('sits = "tribunal"', 'sits = "officer_decision"', "[forums.tribunal]", "is not one of: authority, tribunal"),
    ('sits = "tribunal"', 'sits = "tribunl"', "[forums.tribunal]", "Did you mean 'tribunal'?"),
    (', basis = "proposal"', "", "officer_decision = {", "A text is missing"),
    ('unit = "working_hours"', 'unit = "hours of work"', "officer_decision = {", "is not one of"),
    (
        'basis = "law", source = "telecom_act:7(2)"',
        'basis = "law"',
        "appeal_officer_decision = {",
        "must name its provision",
    ),
    ('source = "telecom_act:7(2)"', 'source = "somewhere"', "appeal_officer_decision = {", "points to an instrument"),
    (
        'provisional = { after = "operator_confirms", reason = "P1" }',
        'provisional = { after = "", reason = "P1" }',
        "[[services.vpn_company.checks]]",
        "Control stands for now only while the operator",
    ),
    ("validity_months = 12", "validity_month = 12", "[services.vpn_company]", "This key is not known here"),
    ("validity_months = 12", 'validity_months = "twelve"', "[services.vpn_company]", "must be a whole number"),
    ("validity_months = 12", "validity_months = 0", "[services.vpn_company]", "must be between 1 and 240"),
    ("open = true", 'open = "yes"', "[services.vpn_company]", "must be true or false"),
    ('after = ""', 'after = "whenever"', "[services.vpn_freelancer]", "There is no clock 'whenever'"),
    ('reason = "P2" }', 'reason = "R1" }', "[services.vpn_freelancer]", "code of a provisional registration"),
    ('weight = "provisional"', 'weight = "light"', "[services.vpn_freelancer]", "is not one of: alone, provisional"),
    ("officer_days_before = 14", "officer_days_before = 0", "[provisional]", "must be between 1 and 90"),
    ("read_by_officer = true", "read_by_officer = 1", "[services.vpn_mission]", "must be true or false"),
    ('roster = "companies"', 'roster = "firms"', "[services.vpn_company]", "A roster check names one of"),
    ('reason = "R2"', 'reason = "R99"', "[services.vpn_company]", "There is no reason code 'R99'"),
    ('"telecom_act:20(1)"', '"telecoms_act:20(1)"', "[reasons.R10]", "does not point to an instrument"),
    ('notice = "notice_before_refusal"', 'notice = "notice"', "[reasons.R1]", "There is no clock 'notice'"),
    ('"rule_never_refuses",', '"rule_never_refuses", "two_directors",', "guards", "is not enforced by this version"),
    (', notice = "notice_before_refusal"', "", "[reasons.R1]", "A refusal takes a notice"),
    ("second_officer = true", "second_officer = false", "[reasons.R4]", "A refusal takes a notice"),
    ('nature = "registration"', 'nature = "licence"', "", "enforces the acts of a registration only"),
    ('silence = "escalate"', 'silence = "deemed_refusal"', "", "neither grants nor refuses by silence"),
    ('zone = "Asia/Karachi"', 'zone = "Asia/Lahore"', "", "There is no time zone"),
    (
        'monday = ["09:00-13:00", "13:30-17:00"]',
        'monday = ["09:00-13:00", "12:30-17:00"]',
        "",
        "must follow each other",
    ),
    ('monday = ["09:00-13:00", "13:30-17:00"]', 'monday = ["9-13"]', "", "not a time written like 09:30"),
    ("date = 2026-11-09", 'date = "9 November"', "", "must be a day written like"),
    ('status = "estimated"', 'status = "guessed"', "[[calendar.holidays]]", "is not one of"),
    ("escalate_at = [80, 100]", "escalate_at = [100, 80]", "", "rising percentages"),
    ("remind_days_before = [60, 30, 7]", "remind_days_before = [7, 30]", "", "falling numbers"),
    (
        'length = { length = 26, unit = "hours" }',
        'length = { length = 26, unit = "minutes" }',
        "[dyndns]",
        "2 hours to 35",
    ),
    ('grace = { length = 3, unit = "days" }', 'grace = { length = 3, unit = "hours" }', "[dyndns]", "12 hours or more"),
    (
        'overlap = { length = 10, unit = "minutes" }',
        'overlap = { length = 3, unit = "days" }',
        "[dyndns]",
        "24 hours at most",
    ),
    (
        'rival_wait = { length = 30, unit = "minutes" }',
        'rival_wait = { length = 3, unit = "days" }',
        "[dyndns]",
        "shorter than `length`",
    ),
    (
        'overlap = { length = 7, unit = "days" }',
        'overlap = { length = 99, unit = "days" }',
        "[change]",
        "90 days at most",
    ),
    ('in_grace = "stays"', 'in_grace = "lingers"', "", "is not one of: stays, ends"),
    ('name = "", office = ""', 'name = "N.N.", office = ""', "item_1 =", "needs a name, an office and a day"),
    ("format = 1", "format = 2", "", "reads policy files of format 1"),
    ("notice_before_refusal = {", "notice_then_refusal = {", "[clocks]", "The clock notice_before_refusal is missing"),
    ("length = 90, unit", "length = 400, unit", "suspension_lasts =", "a year at most"),
    ('unit = "calendar_days"', 'unit = "working_days"', "suspension_lasts =", "count it in calendar_days or months"),
    ('note = "Held for', 'basis_note = "Held for', "draft = {", "say in a note why"),
    ("length = 30", "length = 29", "came_to_nothing = {", "shorter than the time for an appeal"),
    ("length = 30", "length = 29", "case = {", "shorter than the time for an appeal"),
    ("length = 30", "length = 29", "entry = {", "shorter than the time for an appeal"),
]


class TestLoad:
    @pytest.mark.parametrize(("old", "new", "after", "words"), REFUSED)
    def test_refuses_and_names_the_line(self, old: str, new: str, after: str, words: str) -> None:
        text = changed(old, new, after=after)
        found = [problem for problem in problems_of(text) if words in problem.message]
        assert found, [str(problem) for problem in problems_of(text)]
        # A key that is gone is missed at its table, one that has a new name at the new name; others where they stand.
        places = {
            line_of(TEXT, old, after=after),
            line_of(TEXT, after or old),
            line_of(text, new, after=after) if new else 0,
        }
        assert found[0].line in places, str(found[0])

    @pytest.mark.parametrize(
        ("guard", "code"), [("second_officer", "R1"), ("notice_before_refusal", "R1"), ("director_rank", "R4")]
    )
    def test_refuses_a_code_that_relies_on_a_guard_which_is_not_listed(self, guard: str, code: str) -> None:
        text = changed(f'  "{guard}",\n', "", after="guards")
        first = problems_of(text)[0]
        assert f"relies on the guard '{guard}'" in first.message
        assert first.line == line_of(text, "decided_by", after=f"[reasons.{code}]")

    def test_tells_all_faults_in_one_run(self) -> None:
        text = changed("open = true", "open = 1").replace("validity_months = 12", "validity_months = -1")
        assert len(problems_of(text)) >= 5

    def test_points_at_the_misspelt_key_itself(self) -> None:
        text = changed("validity_months = 12", "validity_month = 12", after="[services.vpn_company]")
        unknown = next(one for one in problems_of(text) if "not known" in one.message)
        assert unknown.key == "services.vpn_company.validity_month"
        assert unknown.line == line_of(text, "validity_month =")
        assert str(unknown).startswith(f"Line {unknown.line}, services.vpn_company.validity_month: ")

    def test_points_at_the_row_of_a_list_of_tables(self) -> None:
        text = changed('title = { en = "Company number"', 'titel = { en = "Company number"')
        unknown = next(one for one in problems_of(text) if "not known" in one.message)
        assert unknown.key == "services.vpn_company.checks.3.titel"
        assert unknown.line == line_of(text, "titel =")

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("format = \n", 1),
            ('format = 1\nversion = "x\nname = 2\n', 2),
            ("format = 1\n[a]\nb = 1\nb = 2\n", 4),
            ("[unclosed\n", 1),
        ],
    )
    def test_says_where_a_file_is_not_toml(self, text: str, line: int) -> None:
        (problem,) = problems_of(text)
        assert problem.line == line
        assert problem.message.startswith("This is not TOML: ")

    def test_refuses_an_empty_file_with_sentences(self) -> None:
        assert all(problem.message.endswith(".") for problem in problems_of(""))

    def test_refuses_a_file_that_is_not_utf_8_or_not_there(self, tmp_path: Path) -> None:
        file = tmp_path / "policy.toml"
        with pytest.raises(PolicyError, match="cannot be read"):
            policy.load(file)
        file.write_bytes(b'format = 1\nversion = "\xff"\n')
        with pytest.raises(PolicyError, match="Line 2, the file: The file is not written in UTF-8"):
            policy.load(file)

    @pytest.mark.parametrize("guard", sorted(GUARDS))
    def test_knows_each_guard_it_lists(self, guard: str) -> None:
        assert guard in policy.current(None).guards


def test_a_file_that_tells_no_files_apart_keeps_all_as_long_as_it_says() -> None:
    start = TEXT.index("came_to_nothing = {")
    older = TEXT[:start] + TEXT[TEXT.index("\n", start) + 1 :]
    rules = policy.read(
        older.replace(
            'case = { after = "entry_ended", keep = { length = 30, unit = "days" }',
            'case = { after = "entry_ended_or_refused", keep = { length = 3, unit = "years" }',
        )
    )
    assert rules.retention["came_to_nothing"].keep == rules.retention["case"].keep == "3 years"


class TestCurrent:
    def test_takes_a_changed_file_and_keeps_the_last_good_one_when_it_breaks(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = tmp_path / "in-force.toml"
        file.write_text(TEXT, encoding="utf-8")
        first = policy.current(file)
        file.write_text(changed('version = "pk-demo-2026.11.1"', 'version = "second"'), encoding="utf-8")
        assert policy.current(file).version == "second"
        with caplog.at_level(logging.ERROR):
            file.write_text("format = 1\nnature = 7\n", encoding="utf-8")
            assert policy.current(file).version == "second"
        assert "Line 2, nature" in caplog.text
        file.write_text(TEXT, encoding="utf-8")
        assert policy.current(file) == first

    def test_keeps_the_last_good_one_when_the_file_disappears(self, tmp_path: Path) -> None:
        file = tmp_path / "in-force.toml"
        file.write_text(changed('version = "pk-demo-2026.11.1"', 'version = "mine"'), encoding="utf-8")
        assert policy.current(file).version == "mine"
        file.unlink()
        assert policy.current(file).version == "mine"

    def test_gives_the_last_good_one_also_to_a_process_that_starts_after_the_file_broke(self, tmp_path: Path) -> None:
        file = tmp_path / "in-force.toml"
        file.write_text(changed('version = "pk-demo-2026.11.1"', 'version = "mine"'), encoding="utf-8")
        assert policy.current(file).version == "mine"
        file.write_text("format = 1\nnature = 7\n", encoding="utf-8")
        ask = (
            "import sys, pathlib; from rahdari import policy; print(policy.current(pathlib.Path(sys.argv[1])).version)"
        )
        started = subprocess.run([sys.executable, "-c", ask, file], capture_output=True, text=True, check=True)
        assert started.stdout == "mine\n"
        assert "Line 2, nature" in started.stderr

    def test_stops_rather_than_start_with_the_demonstration_in_place_of_a_broken_file(self, tmp_path: Path) -> None:
        file = tmp_path / "in-force.toml"
        file.write_text("format = 1\n", encoding="utf-8")
        with pytest.raises(PolicyError):
            policy.current(file)


class TestViews:
    def test_are_the_registers_own_where_nothing_is_said(self) -> None:
        start, end = TEXT.index("[vantage]"), TEXT.index("# ---", TEXT.index("[vantage]"))
        rules = policy.read(TEXT[:start] + TEXT[end:])
        assert (rules.vantage.needed, rules.vantage.may_fail, rules.vantage.networks) == (1, 0, 1)

    def test_are_as_certificate_authorities_have_them(self) -> None:
        rules = policy.read(with_views(4, 1, 2))
        assert (rules.vantage.needed, rules.vantage.may_fail, rules.vantage.networks) == (4, 1, 2)
        assert policy.thaw(policy.freeze(rules)).vantage == rules.vantage

    @pytest.mark.parametrize(
        ("needed", "may_fail", "networks", "key"),
        [
            (0, 0, 1, "needed"),
            (1, 1, 1, "may_fail"),
            (2, 1, 2, "may_fail"),
            (4, 2, 2, "may_fail"),
            (6, 3, 2, "may_fail"),
            (3, 0, 1, "networks"),
            (3, 0, 4, "networks"),
        ],
    )
    def test_are_refused_where_they_are_no_quorum(self, needed: int, may_fail: int, networks: int, key: str) -> None:
        problems = problems_of(with_views(needed, may_fail, networks))
        assert [problem.key for problem in problems] == [f"vantage.{key}"]


def with_views(needed: int, may_fail: int, networks: int) -> str:
    text = changed("needed = 1", f"needed = {needed}", after="[vantage]\n")
    text = text.replace("may_fail = 0\n", f"may_fail = {may_fail}\n")
    return text.replace("networks = 1\n", f"networks = {networks}\n")


class TestProof:
    def test_is_as_it_was_before_where_nothing_is_said(self) -> None:
        start, end = TEXT.index("[proof]"), TEXT.index("# ---", TEXT.index("[proof]"))
        rules = policy.read(TEXT[:start] + TEXT[end:])
        assert [each.method for each in rules.proof.methods] == ["link", "http"]
        assert (rules.proof.enough, rules.proof.again_at, rules.proof.again_when_rerouted) == (1, 0, False)

    def test_is_frozen_with_the_file(self) -> None:
        rules = policy.read(TEXT)
        assert policy.thaw(policy.freeze(rules)).proof == rules.proof
        link = rules.proof.offered("link")
        assert link is not None
        assert link.weight >= rules.proof.enough > link.range_weight

    @pytest.mark.parametrize(
        ("old", "new", "key", "said"),
        [
            ('method = "dns"', 'method = "pigeon"', "proof.methods.8.method", "is not one of"),
            ('method = "dns"', 'method = "link"', "proof.methods", "listed twice"),
            ("weight = 1, range_weight", "weight = 0, range_weight", "proof.methods.8.weight", "must be between"),
            ("again_at = 30", "again_at = 95", "proof.again_at", "must be between"),
            ("windows = 3", "windows = 0", "proof.windows", "must be between"),
        ],
    )
    def test_says_which_line_is_wrong(self, old: str, new: str, key: str, said: str) -> None:
        problems = problems_of(changed(old, new, after="[proof]\n"))
        assert (key, True) in [(problem.key, said in problem.message) for problem in problems]

    @pytest.mark.parametrize(
        ("methods", "enough", "said"),
        [
            ('[{ method = "link", weight = 1, range_weight = 1 }]', 2, "no address could ever be proved"),
            ('[{ method = "wireguard", weight = 2, range_weight = 1 }]', 2, "needs a way too"),
        ],
    )
    def test_by_which_nobody_could_prove_anything_is_refused(self, methods: str, enough: int, said: str) -> None:
        start = TEXT.index("methods = [", TEXT.index("[proof]"))
        end = TEXT.index("\n]", start) + 2
        text = TEXT[:start] + f"methods = {methods}" + TEXT[end:]
        problems = problems_of(text.replace("enough = 2", f"enough = {enough}", 1))
        assert any(said in problem.message for problem in problems)


def test_of_a_clock_without_a_basis_that_alone_is_said() -> None:
    text = TEXT.replace(', basis = "proposal"', "", 1)
    with pytest.raises(PolicyError) as refused:
        policy.read(text)
    assert [each.message for each in refused.value.problems] == ["A text is missing."]
