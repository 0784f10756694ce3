"""What a policy may say of the desk's queues: work that waits, and never whose."""

import pytest

from rahdari import policy
from rahdari.policy import SHIPPED

from .test_loading import TEXT, problems_of

NAMED = 'title = { en = "Sample", ur = "نمونہ" }'
REFUSED = [
    ("", "has no condition"),
    ('failed = ["origins"]', "No service of this queue has a check 'origins'"),
    ('failed = ["fee"]\nservices = ["vpn_company"]', "No service of this queue has a check 'fee' that a grant needs"),
    ('failed = ["attestation"]', "'attestation' that a grant needs"),
    ('services = ["vpn_bakery"]', "There is no service 'vpn_bakery'"),
    ('has = ["trouble"]', "'trouble' is not one of: answered"),
    ('turn = "nobody"', "is not one of: us, officer"),
    ('passed = true\nwaiting = ["control"]', "No case can meet this"),
    ("addresses_from = 100000", "No case can meet this: an application has"),
    ("addresses_from = 9\naddresses_to = 3", "it ends before addresses_from"),
    (
        'turn = "applicant"\ndue_within = { length = 1, unit = "working_hours", basis = "proposal" }',
        "our clock stands still",
    ),
    ('turn = "second"\nfree = true', "has an officer"),
    ('free = true\nholder = "A name"', "it would follow a person"),
    ('free = true\nblock = "203.0.113.0/24"', "it would follow a person"),
    ('free = true\ncompany_number = "0000482"', "it would follow a person"),
    ("free = true\nasn = 64500", "it would follow a person"),
    ('free = true\nassociation = "sample-software-houses"', "it would follow a person"),
    ("free = true\ncolour = 3", "not known here"),
]


def with_queue(conditions: str, key: str = "sample") -> str:
    return TEXT.replace("[[queues]]", f'[[queues]]\nkey = "{key}"\n{NAMED}\n{conditions}\n\n[[queues]]', 1)


class TestQueues:
    @pytest.mark.parametrize(("conditions", "said"), REFUSED)
    def test_refuses_what_names_nothing_what_is_never_true_and_what_follows_a_person(
        self, conditions: str, said: str
    ) -> None:
        text = with_queue(conditions)
        found = [problem for problem in problems_of(text) if said in problem.message]
        assert found and text.splitlines()[found[0].line - 1].startswith(
            (found[0].key.rpartition(".")[2], "[[queues]]")
        )

    def test_refuses_two_of_one_name_and_too_many(self) -> None:
        assert any("two queues" in problem.message for problem in problems_of(with_queue("free = true", "papers")))
        many = TEXT
        for number in range(8):
            many = many.replace("[[queues]]", f'[[queues]]\nkey = "k{number}"\n{NAMED}\nfree = true\n\n[[queues]]', 1)
        assert any("8 queues at most" in problem.message for problem in problems_of(many))

    def test_takes_every_condition_and_keeps_it_when_the_rules_are_frozen(self) -> None:
        rules = policy.read(with_queue(
            'turn = "officer"\nservices = ["vpn_freelancer"]\nfailed = ["origin"]\nwaiting = ["mobile_line"]\n'
            'has = ["provisional"]\naddresses_from = 2\naddresses_to = 9\nfree = true\n'
            'due_within = { length = 4, unit = "working_hours", basis = "proposal" }'
        ))  # fmt: skip
        queue = rules.queues[0]
        assert (queue.key, queue.failed, queue.waiting, queue.free) == ("sample", ("origin",), ("mobile_line",), True)
        assert policy.thaw(policy.freeze(rules)).queues == rules.queues

    def test_are_two_to_four_in_the_policies_that_come_with_this_version(self) -> None:
        assert all(2 <= len(policy.load(path).queues) <= 4 for path in SHIPPED.values())
