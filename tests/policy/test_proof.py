"""How control of a range is proved: what a policy may say of the ways that rest on a registry."""

import pytest

from rahdari import policy

TEXT = policy.BUNDLED.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '{ method = "link", weight = 2, range_weight = 1 }',
            '{ method = "link", weight = 2, range_weight = 1, named_weight = 2 }',
            "says nothing of who answers at an address",
        ),
        (
            '{ method = "record", weight = 0, range_weight = 2 }',
            '{ method = "record", weight = 0, range_weight = 0 }',
            "It counts for nothing",
        ),
        ("range_weight = 1, named_weight = 2", "range_weight = 3, named_weight = 2", "takes nothing away"),
        ('method = "http", weight = 2', 'method = "http", weight = 0', "must be between 1 and 10"),
    ],
)
def test_says_what_is_wrong(old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(policy.PolicyError) as error:
        policy.read(TEXT.replace(old, new))
    assert [each for each in error.value.problems if words in each.message]


def test_a_line_in_the_record_is_enough_and_a_code_is_half() -> None:
    proof = policy.current(None).proof
    record, contact = proof.offered("record"), proof.offered("contact")
    assert record is not None and contact is not None
    assert record.range_weight == proof.enough and record.weight == contact.weight == 0
    assert contact.range_weight < proof.enough == contact.named_weight


@pytest.mark.parametrize("services", ['["vpn_company", "no_such"]', '["vpn_freelancer"]', '["whitelist_video"]'])
def test_lines_at_home_belong_to_an_organisation_that_pays_nothing(services: str) -> None:
    old = 'services = ["vpn_company", "vpn_bank", "vpn_mission", "vpn_public_body"]'
    assert old in TEXT
    with pytest.raises(policy.PolicyError) as error:
        policy.read(TEXT.replace(old, f"services = {services}"))
    assert [each for each in error.value.problems if each.key.startswith("remote_staff")]
