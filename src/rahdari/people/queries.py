"""Who someone is, and what that lets them do. The gatekeeper of organisations stands here.

Only posts that have not ended count. A supervisor may do all that an officer may.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Least, Now
from django.urls import reverse
from django.utils.module_loading import import_string

from rahdari.errors import RahdariError
from rahdari.register import queries as register
from rahdari.vault import links
from rahdari.web import limits

from . import reading
from .acting import Acting
from .acting_for import PART_LASTS as PART_LASTS
from .acting_for import accounts_of as accounts_of
from .acting_for import has_part as has_part
from .acting_for import parts_of as parts_of
from .holders import PublicHolder as PublicHolder
from .holders import holder_names as holder_names
from .holders import public_holder as public_holder
from .holders import user_by_holder as user_by_holder
from .models import (
    DIRECTOR,
    INVITATION_VALID,
    PROPOSAL_VALID,
    Branch,
    Invitation,
    Mandate,
    Membership,
    Organisation,
    ProposedRole,
    Role,
    RoleAssignment,
    User,
    normalise_email,
)
from .rules import Act, roles_that, scopes_that

Visitor = User | AnonymousUser
INVITATION = "people.invitation"
# So many are counted, and fade within a day; nobody is kept out by it.
WRONG_CODES = 2_000
MANDATE_OFFERED = dt.timedelta(days=14)


class OrganisationNotFound(RahdariError):
    """There is no such organisation, or it is not yours: nobody learns which. `.id` is what was asked for."""

    says = "no organisation {id} for this person"
    id: uuid.UUID


class MemberNotFound(RahdariError):
    """The organisation has no such member. `.id` is the membership that was asked for."""

    says = "no membership {id}"
    id: int


class InvitationNotFound(RahdariError):
    """There is no such invitation, it is not for you, or its time is over: nobody learns which. `.id` as asked for."""

    says = "no invitation {id}"
    id: int


class ProposalNotFound(RahdariError):
    """No such post waits for this person's word: nobody learns why. `.id` as asked for."""

    says = "no proposed post {id}"
    id: int


def person_by_email(email: str) -> User | None:
    return User.objects.filter(email=normalise_email(email)).first()


def person_by_actor(actor: str) -> User | None:
    """Whom the journal names as the actor (`administrator:<uuid>`); None for a program."""
    try:
        return User.objects.filter(pk=uuid.UUID(actor.rpartition(":")[2])).first()
    except ValueError:
        return None


def wrong_codes_lately() -> float:
    """Wrong codes that were typed to sign in, by anybody; they fade within a day."""
    return WRONG_CODES - limits.left("people.wrong_code", rate=WRONG_CODES, per=24 * 3600)


def name_of_staff(id: str) -> str:
    """The name of a person who holds or held a post; empty for anybody else."""
    try:
        found = User.objects.filter(pk=uuid.UUID(id), posts__isnull=False).first()
    except ValueError:
        return ""
    return found.name if found is not None else ""


def staff_named_in(actors: QuerySet[Any, Any]) -> QuerySet[User]:
    """People who hold or held a post, by a query of their ids."""
    posts = RoleAssignment.objects.filter(user=OuterRef("pk")).order_by()
    return User.objects.filter(Exists(posts), pk__in=actors).order_by()


# The posts that were looked up already, by the person's key, while one request is answered: each page asks for its
# links, its gates and its contents, and would ask the database each time.
_looked_up: ContextVar[dict[uuid.UUID | None, list[RoleAssignment]] | None] = ContextVar(
    "posts_looked_up", default=None
)


@contextmanager
def looking_up_posts_once(*, only_read: bool = False) -> Iterator[None]:
    """Within it the posts of a person are asked for once, unless one is given or ended here (`forget_posts`). While a
    page is only read nobody joins an organisation and no mandate is given: what came with the reader is believed."""
    tokens = _looked_up.set({}), reading.ONLY.set(only_read)
    try:
        yield
    finally:
        _looked_up.reset(tokens[0])
        reading.ONLY.reset(tokens[1])


def _has_none(user: User, name: str) -> bool:
    """Whether the reader of a page came without any (`reader`)."""
    return reading.ONLY.get() and getattr(user, name, None) is False


def forget_posts() -> None:
    """Posts have changed, and what came with the reader (`reader`) says nothing any more."""
    if (known := _looked_up.get()) is not None:
        known.clear()
        known[None] = []


def posts_of(user: Visitor) -> list[RoleAssignment]:
    """The posts that a person holds now."""
    if not isinstance(user, User) or not user.is_active:
        return []
    known = _looked_up.get()
    if known is not None and user.pk in known:
        return known[user.pk]
    # Asked for each page, and nearly nobody holds one: that comes with the reader, or is asked in the shortest way.
    came = getattr(user, "any_post", None) if known is not None and None not in known else None
    any_post = _any_post(user) if came is None else came
    found = list(user.posts.filter(ended_at__isnull=True).order_by("appointed_at", "id")) if any_post else []
    if known is not None:
        known[user.pk] = found
    return found


def _any_post(user: User) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM people_roleassignment WHERE user_id = %s AND ended_at IS NULL)", [user.pk]
        )
        return bool(cursor.fetchone()[0])


def all_posts() -> QuerySet[RoleAssignment]:
    """Every post held now, for the administrator's page."""
    return (
        RoleAssignment.objects.filter(ended_at__isnull=True)
        .select_related("user")
        .order_by("role", "operator", "association", "id")
    )


def posts_at_operator(operator: str) -> list[RoleAssignment]:
    """The posts that people hold now at an operator, by its short name."""
    return list(
        RoleAssignment.objects.filter(operator=operator, role=Role.OPERATOR, ended_at__isnull=True).order_by("id")
    )


def holds_post(user: Visitor, *roles: Role) -> bool:
    """Whether the person holds a post now; one of the given roles if any are given."""
    return any(not roles or post.role in roles for post in posts_of(user))


def is_officer(user: Visitor) -> bool:
    return holds_post(user, Role.OFFICER, Role.SUPERVISOR)


def in_office_since(user: Visitor) -> dt.datetime | None:
    """Since when the person has been an officer or supervisor without a break; None for anybody else."""
    return min(
        (post.appointed_at for post in posts_of(user) if post.role in (Role.OFFICER, Role.SUPERVISOR)), default=None
    )


def who_watches_posts() -> list[User]:
    """Supervisors and administrators: each change of a post is told to all of them."""
    held = RoleAssignment.objects.filter(role__in=[Role.SUPERVISOR, Role.ADMINISTRATOR], ended_at__isnull=True)
    return list(User.objects.filter(pk__in=held.values("user"), is_active=True).order_by("created_at", "id"))


def watches_posts(user: Visitor) -> bool:
    return holds_post(user, Role.SUPERVISOR, Role.ADMINISTRATOR)


def keys_of(post: RoleAssignment, now: dt.datetime) -> int:
    """How many keys of the operator's system its holder made that work; they go on when the post ends."""
    made = import_string(settings.KEYS_OF_POST)
    return made(operator=post.operator, user=post.user, now=now).count() if post.operator else 0


def proposed_posts(user: Visitor, now: dt.datetime) -> QuerySet[ProposedRole]:
    """The posts that wait for a second person, for whoever watches. One that was proposed by somebody who is no
    administrator any more waits for nobody."""
    if not watches_posts(user):
        return ProposedRole.objects.none()
    administrators = RoleAssignment.objects.filter(role=Role.ADMINISTRATOR, ended_at__isnull=True, user__is_active=True)
    found = ProposedRole.objects.filter(
        proposed_by__in=administrators.values("user"), proposed_at__gt=now - PROPOSAL_VALID, user__is_active=True
    )
    return found.select_related("user", "proposed_by").order_by("proposed_at", "id")


def posts_to_agree_to(user: Visitor, now: dt.datetime) -> QuerySet[ProposedRole]:
    """Those to which this person may agree, if they may second (`seconding`): proposed by somebody else, and for
    somebody else."""
    if not isinstance(user, User):
        return ProposedRole.objects.none()
    accounts = accounts_of(user)
    return proposed_posts(user, now).exclude(proposed_by__in=accounts).exclude(user__in=accounts)


def proposed_post_of(user: Visitor, *, id: int, now: dt.datetime, to_agree: bool) -> ProposedRole:
    """One that waits, to be agreed to or to be dropped; locked. Raises ProposalNotFound."""
    waiting = posts_to_agree_to(user, now) if to_agree else proposed_posts(user, now)
    found = waiting.select_for_update(of=("self",)).filter(pk=id).first()
    if found is None:
        raise ProposalNotFound(id)
    return found


def somebody_else_watches(user: User) -> bool:
    """Whether there is anybody who could agree to what this person proposes."""
    return any(other.pk != user.pk for other in who_watches_posts())


def is_supervisor(user: Visitor) -> bool:
    return holds_post(user, Role.SUPERVISOR)


def is_administrator(user: Visitor) -> bool:
    return holds_post(user, Role.ADMINISTRATOR)


def keeps_accounts(user: Visitor) -> bool:
    return holds_post(user, Role.ACCOUNTS)


def has_rank(user: Visitor, rank: str) -> bool:
    """Whether the person is an officer or supervisor of that rank; the rank "officer" is any officer's."""
    if rank in ("", "officer"):
        return is_officer(user)
    return any(post.rank == rank for post in posts_of(user))


def is_director(user: Visitor) -> bool:
    return has_rank(user, DIRECTOR)


def operator_of(user: Visitor) -> str | None:
    """The short name of the operator that the person acts for."""
    return next((post.operator for post in posts_of(user) if post.role == Role.OPERATOR), None)


def association_of(user: Visitor) -> str | None:
    """The short name of the association that the person attests for."""
    return next((post.association for post in posts_of(user) if post.role == Role.ASSOCIATION), None)


def people_of_association(association: str) -> QuerySet[User]:
    """Who attests for the association now."""
    return User.objects.filter(
        pk__in=RoleAssignment.objects.filter(
            role=Role.ASSOCIATION, association=association, ended_at__isnull=True, user__is_active=True
        ).values("user")
    ).order_by("created_at", "id")


def organisations_of(user: Visitor) -> QuerySet[Organisation]:
    """The organisations that a person belongs to: the only way to reach one from a page."""
    if not isinstance(user, User) or _has_none(user, "any_membership"):
        return Organisation.objects.none()
    return Organisation.objects.filter(memberships__user=user).order_by("created_at", "id")


def memberships_of(user: User) -> QuerySet[Membership]:
    """As what a person belongs to organisations."""
    return Membership.objects.filter(user=user).order_by("joined_at", "id")


def organisations_for(user: Visitor, act: Act) -> QuerySet[Organisation]:
    """The organisations for which a person may do this."""
    if not isinstance(user, User) or not user.is_active or _has_none(user, "any_membership"):
        return Organisation.objects.none()
    held = Membership.objects.filter(user=user, role__in=roles_that(act))
    return Organisation.objects.filter(pk__in=held.values("organisation")).order_by("created_at", "id")


def may(user: Visitor, act: Act, *, organisation: Organisation) -> bool:
    return organisations_for(user, act).filter(pk=organisation.pk).exists()


def mandates_in_force(user: Visitor, act: Act) -> QuerySet[Mandate]:
    """The mandates by which a person may do this now, for whichever service."""
    if not isinstance(user, User) or not user.is_active or _has_none(user, "any_mandate"):
        return Mandate.objects.none()
    found = Mandate.objects.filter(agent=user, ended_at__isnull=True, valid_until__gt=Now(), scope__in=scopes_that(act))
    return found.select_related("organisation").order_by("-given_at", "id")


def mandate_for(user: Visitor, holder: uuid.UUID, act: Act, *, service: str) -> Mandate | None:
    """The mandate by which a person may do this with what this holder has of a service."""
    found = mandates_in_force(user, act).filter(organisation__holder_ref=holder)
    return next((mandate for mandate in found if mandate.covers(service)), None)


def ended_mandate(user: User, holder: uuid.UUID) -> Mandate | None:
    """The last mandate of this organisation that a person had, ended or over by its day, while they have no other of
    it."""
    accepted = Mandate.objects.filter(agent=user, accepted_at__isnull=False, organisation__holder_ref=holder)
    if accepted.filter(ended_at__isnull=True, valid_until__gt=Now()).exists():
        return None
    over = Least("valid_until", "ended_at")
    return accepted.select_related("organisation").order_by(over.desc(), "id").first()


def mandates_offered_to(user: User, now: dt.datetime) -> QuerySet[Mandate]:
    """Offers to the address that a person signed in with, while they can be accepted."""
    open_ones = Mandate.objects.filter(accepted_at__isnull=True, ended_at__isnull=True, valid_until__gt=now)
    return open_ones.filter(email=user.email, given_at__gt=now - MANDATE_OFFERED).select_related("organisation")


def mandates_that_lapsed(now: dt.datetime) -> QuerySet[Mandate]:
    """Offers whose time to be accepted is over, with the address that they were made to."""
    over = Q(given_at__lte=now - MANDATE_OFFERED) | Q(valid_until__lte=now)
    return Mandate.objects.filter(over, accepted_at__isnull=True).exclude(email_index="")


def mandates_of(organisation: Organisation) -> QuerySet[Mandate]:
    """All that an organisation gave, the newest first."""
    return Mandate.objects.filter(organisation=organisation).select_related("agent").order_by("-given_at", "id")


def holders_for(user: Visitor, act: Act) -> list[uuid.UUID]:
    """The references of holders for whom a person may do this: themselves, and organisations by their role there."""
    if not isinstance(user, User):
        return []
    return [user.holder_ref, *organisations_for(user, act).values_list("holder_ref", flat=True)]


def acting_for(user: Visitor, holder: uuid.UUID, act: Act, *, service: str) -> Acting | None:
    """As whom a person may do this with what this holder has of a service: the holder, by role, or by a mandate."""
    if not isinstance(user, User):
        return None
    if holder in holders_for(user, act):
        return Acting(user)
    mandate = mandate_for(user, holder, act, service=service)
    return Acting(user, mandate) if mandate is not None else None


def invitation_token(invitation: Invitation) -> str:
    return links.token(INVITATION, str(invitation.pk))


def invitation_path(invitation: Invitation) -> str:
    """Where the link in the letter leads: to the sign-in with the address, and to the answer."""
    return reverse("people:invitation", args=[invitation.pk, invitation_token(invitation)])


def is_invitation_link(*, id: int, token: str) -> bool:
    return links.matches(INVITATION, str(id), token)


def organisation_for_member(*, user: Visitor, id: uuid.UUID) -> Organisation:
    """An organisation of which this person is a member. Raises OrganisationNotFound for any other."""
    organisation = organisations_of(user).filter(pk=id).first()
    if organisation is None:
        raise OrganisationNotFound(id)
    return organisation


def was_registered(organisation: Organisation) -> bool:
    """Whether the organisation holds a registration, or ever held one."""
    return register.registrations_of(holders=[organisation.holder_ref]).exists()


def belongs(*, user: Visitor, organisation: Organisation) -> bool:
    return organisations_of(user).filter(pk=organisation.pk).exists()


def owns(*, user: Visitor, organisation: Organisation) -> bool:
    return isinstance(user, User) and organisation.memberships.filter(user=user, role=Membership.Role.OWNER).exists()


def organisation_for_owner(*, user: Visitor, id: uuid.UUID) -> Organisation:
    """For what only an owner may do. Raises OrganisationNotFound, for a mere member as well."""
    organisation = organisation_for_member(user=user, id=id)
    if not owns(user=user, organisation=organisation):
        raise OrganisationNotFound(id)
    return organisation


def members_of(organisation: Organisation) -> QuerySet[Membership]:
    """Who belongs to the organisation, whoever came first first."""
    return Membership.objects.filter(organisation=organisation).select_related("user").order_by("joined_at", "id")


def member_of(*, organisation: Organisation, id: int) -> Membership:
    """Raises MemberNotFound."""
    found = members_of(organisation).filter(pk=id).first()
    if found is None:
        raise MemberNotFound(id)
    return found


class BranchNotFound(RahdariError):
    """The organisation has no such branch. `.id` is what was asked for."""

    says = "no branch {id}"
    id: uuid.UUID


def branches_of(organisation: Organisation) -> QuerySet[Branch]:
    """The branches that are there, in the order in which they were added."""
    return Branch.objects.filter(organisation=organisation, ended_at__isnull=True).order_by("added_at", "id")


def branch_of(*, organisation: Organisation, id: uuid.UUID) -> Branch:
    """Raises BranchNotFound."""
    found = branches_of(organisation).filter(pk=id).first()
    if found is None:
        raise BranchNotFound(id)
    return found


def branch_named(organisation: Organisation, name: str) -> Branch | None:
    return branches_of(organisation).filter(name=name).first()


def organisation_within(*, user: Visitor, id: uuid.UUID, act: Act) -> Organisation:
    """The organisation, if the person may do this for it. Raises OrganisationNotFound."""
    found = organisations_for(user, act).filter(pk=id).first()
    if found is None:
        raise OrganisationNotFound(id)
    return found


def open_invitations(now: dt.datetime) -> QuerySet[Invitation]:
    """Every invitation that can still be accepted."""
    return Invitation.objects.filter(invited_at__gt=now - INVITATION_VALID).order_by("invited_at", "id")


def invitations_of(organisation: Organisation, now: dt.datetime) -> QuerySet[Invitation]:
    return open_invitations(now).filter(organisation=organisation)


def invitations_to(user: Visitor, now: dt.datetime) -> QuerySet[Invitation]:
    """What waits for a person: they have shown by a code that the address is theirs."""
    if not isinstance(user, User):
        return Invitation.objects.none()
    return open_invitations(now).filter(email=user.email).select_related("organisation")


def holders_of(user: Visitor) -> list[uuid.UUID]:
    """All that this person belongs to: their own reference and their organisations', whatever they may do there."""
    if not isinstance(user, User):
        return []
    return [user.holder_ref, *organisations_of(user).values_list("holder_ref", flat=True)]


def people_to_notify(holder_ref: uuid.UUID, act: Act = Act.SEE) -> list[User]:
    """Who gets letters about this holder: the person, or the active members of the organisation who may see it."""
    user = user_by_holder(holder_ref)
    if user is not None:
        return [user] if user.is_active else []
    members = User.objects.filter(
        memberships__organisation__holder_ref=holder_ref, memberships__role__in=roles_that(act), is_active=True
    )
    return list(members.order_by("created_at", "id"))
