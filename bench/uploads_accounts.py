"""Fills the demonstration that `bench/uploads` asks: drafts with a token each, and cases for more than one page.

Run by it in the environment of that demonstration, as the owner of its tables. Prints a line for each account: the
reference of its draft, a token.
"""

import datetime as dt
import random

# Half of the attackers have used nothing before all comes at once: whoever used much is refused.
ATTACKERS = 8
PEOPLE = {
    **{f"attacker-{number}": "vpn_freelancer" for number in range(ATTACKERS)},
    "other": "vpn_freelancer", "one-more": "vpn_freelancer", "company": "vpn_company",
}  # fmt: skip
# Two pages of the queue and some.
CASES = 60


def main() -> None:
    import django

    django.setup()
    from bench import copied_cases
    from rahdari.api import keys
    from rahdari.api.rules import Scope
    from rahdari.apply import drafts
    from rahdari.decide import queries
    from rahdari.people import actions as people

    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    for name, service in PEOPLE.items():
        person = people.register_person(email=f"{name}@uploads.example", now=now)
        draft = drafts.start_application(
            applicant=person, service=service, fixed_address="yes", actor=f"person:{person.pk}", now=now
        )
        print(
            draft.reference, keys.make_token(owner=person, name="bench", scopes=list(Scope), valid_for=day, now=now)[1]
        )
    waiting = [copied_cases.Model(case, 1) for case in queries.cases().filter(status="open")]
    copied_cases.copy(waiting, count=CASES, start=0, luck=random.Random(12))


if __name__ == "__main__":
    main()
