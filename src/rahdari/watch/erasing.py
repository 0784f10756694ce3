"""What is kept no longer, by the policy in force: of persons 30 days at most. And consents whose endpoint is gone."""

import datetime as dt

from django.db.models import Exists, OuterRef

from rahdari.db.queues import each_of

from . import consents, queries
from .models import Consent, Measured, SeenFacts, Spell

ACTOR = "clock"


@each_of(lambda now: queries.of_ended_entries())
def end_with_the_entry(consent: Consent, now: dt.datetime) -> bool:
    """An endpoint that is registered no more is measured no more."""
    return consents.withdraw(feed_id=consent.feed_id, actor=ACTOR, now=now)


def erase_old(now: dt.datetime, *, at_most: int = 5_000) -> int:
    """Spells that ended, and facts that others followed, before then. How it stands now is kept as long as it does."""
    rules = queries.rules_in_force()
    if rules is None:
        return 0
    erased = 0
    for personal, kept in ((True, rules.persons_kept), (False, rules.kept)):
        before = now - kept
        spells = Spell.objects.filter(ended_at__lt=before, consent__personal=personal)
        followed = SeenFacts.objects.filter(consent=OuterRef("consent"), at__gt=OuterRef("at"), at__lt=before)
        facts = SeenFacts.objects.filter(Exists(followed), at__lt=before, consent__personal=personal)
        for rows in (spells, facts):
            some = list(rows.order_by("pk").values_list("pk", flat=True)[:at_most])
            erased += len(some)
            rows.model._default_manager.filter(pk__in=some).delete()
    before = now - max(rules.kept, rules.persons_kept)
    erased += Spell.objects.filter(consent=None, ended_at__lt=before).delete()[0]
    return erased + Measured.objects.filter(last_at__lt=before).delete()[0]
