"""What the code promises about decisions, by name.

A policy lists the guards that its regulator relies on. A guard that is not in this register is not enforced by this
version, so a policy that names it is refused instead of being obeyed in name only. `decide` declares the same names,
and a test exercises each of them.
"""

GUARDS: dict[str, str] = {
    "rule_never_refuses": "A rule may grant; only an officer may refuse.",
    "reason_required": "A refusal names at least one reason code and says a sentence of its own.",
    "notice_before_refusal": "No refusal before the applicant was told why and had the time to answer.",
    "second_officer": "A refusal is decided by a second officer where its code asks for one.",
    "no_self_second": "Who proposed a refusal never seconds it.",
    "director_rank": "A code of Director rank is seconded by an officer of that rank.",
    "director_before_hearing": "A suspension before its holder is heard is agreed to by an officer of Director rank.",
    "own_case_only": "An officer acts only on a case that is in the officer's own hands.",
    "confirmed_codes_only": "A code whose provision is not confirmed is not used in production.",
}
