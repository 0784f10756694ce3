"""Once a year a holder is asked whether a registration is still right, and reminded; the last letter says whom to call.

Whoever says nothing keeps it: nothing follows from silence but the next year's letter. Each letter is written in the
transaction that notes it, so that one that is late comes once.
"""

import datetime as dt

from django.db.models import QuerySet
from django.urls import reverse

from rahdari.apply.queries import policy_in_force
from rahdari.db.queues import each_of
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.policy import StillRight, still_right_of
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register import still_right
from rahdari.register.models import Registration, YearlyQuestion


def _to_ask(now: dt.datetime) -> QuerySet[Registration]:
    rules = still_right_of(policy_in_force())
    if rules is None:
        return entries.not_ended().none()
    since, beyond = rules.silent_since(now), rules.renewal_opens_after(now)
    return entries.to_ask_whether_right(silent_since=since, term_beyond=beyond)


@each_of(_to_ask, lock=True)
def ask_whether_right(registration: Registration, now: dt.datetime) -> None:
    """Whose last word, and the last question, is so long ago as the policy says."""
    if (rules := still_right_of(policy_in_force())) is not None:
        question = register.ask_whether_right(registration=registration, next_at=rules.next_at(1, now), now=now)
        _write(question, "still_right", rules, now)


def _to_ask_again(now: dt.datetime) -> QuerySet[YearlyQuestion]:
    rules = still_right_of(policy_in_force())
    beyond = now if rules is None else now + rules.renewal_opens_before
    found = entries.to_ask_whether_right_again(now=now, term_beyond=beyond)
    return found if rules is not None else found.none()


@each_of(_to_ask_again, lock=True)
def ask_again(question: YearlyQuestion, now: dt.datetime) -> None:
    """The reminders of one that nobody has answered."""
    if (rules := still_right_of(policy_in_force())) is not None:
        next_at = rules.next_at(question.letters + 1, now)
        _write(register.ask_again(question=question, next_at=next_at), "still_right_again", rules, now)


def _write(question: YearlyQuestion, template: str, rules: StillRight, now: dt.datetime) -> None:
    registration, contact = question.registration, policy_in_force().contact
    told = {"post": contact.post, "email": contact.email, "phone": contact.phone} if contact is not None else {}
    for person in people.people_to_notify(registration.holder, Act.APPLY):
        letters.write_letter(
            to=person,
            template=template,
            about=f"registration:{registration.pk}",
            context={
                "registration": registration.reference,
                "said_at": registration.last_word_at,
                **({"asked_at": question.asked_at} if question.letters > 1 else {}),
                "url": reverse("portal:still_right", args=[registration.reference, still_right.token_of(question)]),
                **(told if rules.is_last(question.letters) else {}),
            },
            now=now,
        )
