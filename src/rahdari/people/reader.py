"""Who is signed in, with what every page asks about them, in one statement.

`User.any_post`, `any_membership` and `any_mandate` are whether there is one, as the request began, and `its_accounts`
all accounts of the person; what the rooms above want to know of each reader stands beside them (`settings.OF_READER`).
Somebody who came another way has none of these.
"""

import uuid
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, QuerySet, UUIDField
from django.db.models.expressions import RawSQL
from django.utils.module_loading import import_string

from rahdari.db.asked import Asked

from .models import User

ANY_POST = RawSQL(
    "EXISTS (SELECT FROM people_roleassignment WHERE user_id = people_user.id AND ended_at IS NULL)", [], BooleanField()
)
ANY_MEMBERSHIP = RawSQL("EXISTS (SELECT FROM people_membership WHERE user_id = people_user.id)", [], BooleanField())
ANY_MANDATE = RawSQL(
    "EXISTS (SELECT FROM people_mandate WHERE agent_id = people_user.id AND ended_at IS NULL)", [], BooleanField()
)

# Those of the person, for pages that ask who has a part (`acting_for.accounts_of`): officers read them.
ACCOUNTS = RawSQL("ARRAY(SELECT people_accounts_of(people_user.id))", [], ArrayField(UUIDField()))


def _readers(user_id: uuid.UUID) -> QuerySet[User]:
    more: dict[str, Any] = {name: import_string(path) for name, path in settings.OF_READER.items()}
    more |= {"any_post": ANY_POST, "any_membership": ANY_MEMBERSHIP, "any_mandate": ANY_MANDATE}
    more["its_accounts"] = ACCOUNTS
    return User.objects.filter(pk=user_id).annotate(**more).order_by()


_reader = Asked(_readers)


class ReaderBackend(AuthenticationBackend):
    def get_user(self, user_id: uuid.UUID) -> User | None:
        return next(filter(self.user_can_authenticate, _reader(user_id)), None)
