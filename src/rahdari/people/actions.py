"""What changes persons, organisations and posts.

Invariants: an address belongs to one person, so registering it twice gives the same person; whoever registers an
organisation owns it, and it never loses its last owner; a page makes nobody a member who did not accept; a post is
ended, never deleted; no name, address or number goes into the journal.
"""

import datetime as dt

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from rahdari import optional
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.web import limits

from . import queries, seconding
from .branches import BranchNameTaken as BranchNameTaken
from .branches import TooManyBranches as TooManyBranches
from .branches import add_branch as add_branch
from .branches import change_branch as change_branch
from .branches import end_branch as end_branch
from .mandates import A_DAY, allow_letter
from .mandates import MandateNotOffered as MandateNotOffered
from .mandates import accept_mandate as accept_mandate
from .mandates import end_mandate as end_mandate
from .mandates import forget_offers as forget_offers
from .mandates import give_mandate as give_mandate
from .models import (
    DIRECTOR,
    INVITATION_VALID,
    Invitation,
    Language,
    Membership,
    Organisation,
    ProposedRole,
    Role,
    RoleAssignment,
    User,
    normalise_email,
)
from .names import tidy
from .told_contacts import contact_was_told as contact_was_told
from .told_contacts import tell_contact_later as tell_contact_later
from .told_contacts import tell_contact_next as tell_contact_next

LETTER_AGAIN = dt.timedelta(days=1)
# Strangers whom one person has written to in a day, in the name of organisations that were never registered.
STRANGERS = 5


class RankNotAllowed(RahdariError):
    """This role has no such rank. `.role` and `.rank` are what was asked for."""

    says = "a post of {role} has no rank {rank!r}"
    role: str
    rank: str


class OperatorNeeded(RahdariError):
    """A post of operator names the operator, every other post names none. `.role` and `.operator` as given."""

    says = "a post of {role} with the operator {operator!r}"
    role: str
    operator: str


class AssociationNeeded(RahdariError):
    """A post of an association names it, every other post names none. `.role` and `.association` as given."""

    says = "a post of {role} with the association {association!r}"
    role: str
    association: str


class OwnPost(Exception):
    """Nobody gives a post to themselves."""


class LastOwner(RahdariError):
    """An organisation would be left without an owner. `.organisation` is which."""

    says = "the last owner of {organisation}"
    organisation: Organisation


class AlreadyMember(RahdariError):
    """Whoever has this address belongs to the organisation. `.organisation` is which."""

    says = "already a member of {organisation}"
    organisation: Organisation


def register_person(
    *, email: str, language: str = Language.ENGLISH, name: str = "", actor: str = "", now: dt.datetime
) -> User:
    """The person of this address, made if there is none yet. Without an `actor` it was the person themselves."""
    email = normalise_email(email)
    existing = User.objects.filter(email=email).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, language=language, name=tidy(name), created_at=now)
            journal.record(
                act="people.registered_person", actor=actor or f"person:{user.pk}", subject=f"person:{user.pk}", now=now
            )
            return user
    except IntegrityError:
        # Two tabs confirmed their code at the same moment: the other one made the person.
        return User.objects.get(email=email)


@transaction.atomic(savepoint=False)
def name_person(*, user: User, name: str, actor: str, now: dt.datetime) -> User:
    """Set the name of a person, with single spaces."""
    user.name = tidy(name)
    user.save(update_fields=["name"])
    journal.record(act="people.named_person", actor=actor, subject=f"person:{user.pk}", now=now)
    return user


@transaction.atomic
def forget_name(*, user: User, now: dt.datetime) -> None:
    """Nothing of this person is on the register, and no file is kept: the account is an address of email from now on.
    Whoever has a post or belongs to an organisation is known there by the name."""
    known = user.posts.filter(ended_at__isnull=True).exists() or user.memberships.exists()
    number = optional.ask(__package__, "forget_number", user)
    if (user.name and not known) or number:
        user.name = user.name if known else ""
        user.save(update_fields=["name"])
        journal.record(act="people.forgot_name", actor="clock", subject=f"person:{user.pk}", now=now)


def set_language(*, user: User, language: str) -> User:
    """Remember in which language to write. A preference, so no row in the journal: the switch stands on every page."""
    if language != user.language:
        user.language = Language(language)
        user.save(update_fields=["language"])
    return user


@transaction.atomic
def register_organisation(
    *, owner: User, name: str, company_number: str = "", ntn: str = "", actor: str, now: dt.datetime
) -> Organisation:
    """Register an organisation; `owner` becomes its first owner. The numbers are kept as given."""
    organisation = Organisation.objects.create(name=tidy(name), company_number=company_number, ntn=ntn, created_at=now)
    Membership.objects.create(user=owner, organisation=organisation, role=Membership.Role.OWNER, joined_at=now)
    journal.record(
        act="people.registered_organisation", actor=actor, subject=f"organisation:{organisation.pk}", now=now
    )
    return organisation


def lock_organisation(organisation: Organisation) -> Organisation:
    """The organisation as it is now; it stays so until the transaction ends."""
    return Organisation.objects.select_for_update().get(pk=organisation.pk)


@transaction.atomic
def describe_organisation(
    *, organisation: Organisation, name: str, company_number: str, ntn: str, actor: str, now: dt.datetime
) -> Organisation:
    """Put the name and numbers right."""
    organisation.name, organisation.company_number, organisation.ntn = tidy(name), company_number, ntn
    organisation.save(update_fields=["name", "company_number", "ntn"])
    tell_contact_later(organisation=organisation, now=now)
    journal.record(act="people.described_organisation", actor=actor, subject=f"organisation:{organisation.pk}", now=now)
    return organisation


@transaction.atomic
def add_member(
    *,
    organisation: Organisation,
    user: User,
    role: str = Membership.Role.VIEWER,
    actor: str,
    now: dt.datetime,
) -> Membership:
    """Let a person act for the organisation. Giving it twice changes nothing."""
    membership, made = Membership.objects.get_or_create(
        organisation=organisation, user=user, defaults={"role": Membership.Role(role), "joined_at": now}
    )
    if made:
        if role == Membership.Role.OWNER:
            tell_contact_later(organisation=organisation, now=now)
        journal.record(
            act="people.added_member",
            actor=actor,
            subject=f"organisation:{organisation.pk}",
            now=now,
            detail={"member": f"person:{user.pk}", "role": membership.role},
        )
    return membership


def _keep_an_owner(organisation: Organisation, *, without: User) -> None:
    """Raises LastOwner. Locks the organisation, so that two owners cannot end each other at the same moment."""
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    owners = Membership.objects.filter(organisation=organisation, role=Membership.Role.OWNER)
    if not owners.exclude(user=without).exists():
        raise LastOwner(organisation)


@transaction.atomic
def change_role(*, organisation: Organisation, user: User, role: str, actor: str, now: dt.datetime) -> None:
    """Give a member another role. Raises LastOwner. The same role again changes nothing."""
    role = Membership.Role(role)
    if role != Membership.Role.OWNER:
        _keep_an_owner(organisation, without=user)
    before = Membership.objects.filter(organisation=organisation, user=user).exclude(role=role)
    was = before.values_list("role", flat=True).first()
    if was is not None:
        before.update(role=role)
        tell_contact_later(organisation=organisation, now=now)
        journal.record(
            act="people.changed_role",
            actor=actor,
            subject=f"organisation:{organisation.pk}",
            now=now,
            detail={"member": f"person:{user.pk}", "role": role, "was": was},
        )


@transaction.atomic
def remove_member(*, organisation: Organisation, user: User, actor: str, now: dt.datetime) -> None:
    """End a membership. Whoever was removed by somebody else gets a letter. Raises LastOwner when nobody could act for
    the organisation any more.
    """
    _keep_an_owner(organisation, without=user)
    membership = Membership.objects.filter(organisation=organisation, user=user).first()
    if membership is not None:
        membership.delete()
        tell_contact_later(organisation=organisation, now=now)
        journal.record(
            act="people.removed_member",
            actor=actor,
            subject=f"organisation:{organisation.pk}",
            now=now,
            detail={"member": f"person:{user.pk}", "was": membership.role},
        )
        by = queries.person_by_actor(actor)
        if by != user:
            import_string(settings.REMOVED_LETTER)(
                user=user, organisation=organisation.name, by=by.email if by is not None else "", now=now
            )


def allow_stranger(*, by: User, organisation: Organisation) -> bool:
    """Count a letter to a stranger in the organisation's name. False once there were enough today.

    Anybody makes an organisation of any name, and our letters would carry it to whom they like. One that was registered
    has no such limit.
    """
    if queries.was_registered(organisation):
        return True
    return limits.allow(f"people.stranger:{by.pk}", rate=STRANGERS, per=A_DAY)


@transaction.atomic
def invite_member(
    *,
    organisation: Organisation,
    email: str,
    role: str,
    actor: str,
    now: dt.datetime,
    language: str = Language.ENGLISH,
) -> Invitation:
    """Ask the person of an address in. Nobody is looked up or made: known and unknown addresses are treated alike.

    Nobody is added without saying yes: the registrations of a person who writes the same company number in an
    application go to an organisation that they belong to. Inviting again begins the time anew. A letter with a link
    tells the address of it; joining needs a sign-in with that address all the same. Raises AlreadyMember.
    """
    email = normalise_email(email)
    if Membership.objects.filter(organisation=organisation, user__email=email).exists():
        raise AlreadyMember(organisation)
    Invitation.objects.filter(invited_at__lte=now - INVITATION_VALID).delete()  # addresses are not kept for nothing
    # Nobody is written to twice within a day, however often they are invited.
    told = Invitation.objects.filter(organisation=organisation, email=email, invited_at__gt=now - LETTER_AGAIN).exists()
    invitation, _ = Invitation.objects.update_or_create(
        organisation=organisation, email=email, defaults={"role": Membership.Role(role), "invited_at": now}
    )
    _record_invitation("people.invited_member", invitation, actor=actor, now=now)
    if not told and allow_letter(organisation, email):
        import_string(settings.INVITATION_LETTER)(
            email=email,
            language=language,
            organisation=organisation.name,
            by=inviter.email if (inviter := queries.person_by_actor(actor)) is not None else "",
            is_registered=queries.was_registered(organisation),
            until=invitation.valid_until,
            url=queries.invitation_path(invitation),
            now=now,
        )
    return invitation


def _record_invitation(act: str, invitation: Invitation, *, actor: str, now: dt.datetime) -> None:
    journal.record(
        act=act,
        actor=actor,
        subject=f"organisation:{invitation.organisation_id}",
        now=now,
        detail={"invitation": str(invitation), "role": invitation.role},
    )


@transaction.atomic
def accept_invitation(*, user: User, id: int, actor: str, now: dt.datetime) -> Membership:
    """Raises InvitationNotFound."""
    invitation = queries.invitations_to(user, now).select_for_update(of=("self",)).filter(pk=id).first()
    if invitation is None:
        raise queries.InvitationNotFound(id)
    invitation.delete()
    return add_member(organisation=invitation.organisation, user=user, role=invitation.role, actor=actor, now=now)


@transaction.atomic
def decline_invitation(*, user: User, id: int, actor: str, now: dt.datetime) -> None:
    """Raises InvitationNotFound."""
    invitation = queries.invitations_to(user, now).select_for_update(of=("self",)).filter(pk=id).first()
    if invitation is None:
        raise queries.InvitationNotFound(id)
    _record_invitation("people.declined_invitation", invitation, actor=actor, now=now)
    invitation.delete()


@transaction.atomic
def withdraw_invitation(*, organisation: Organisation, id: int, actor: str, now: dt.datetime) -> None:
    """Raises InvitationNotFound, also when it was accepted in between."""
    invitation = queries.invitations_of(organisation, now).select_for_update(of=("self",)).filter(pk=id).first()
    if invitation is None:
        raise queries.InvitationNotFound(id)
    _record_invitation("people.withdrew_invitation", invitation, actor=actor, now=now)
    invitation.delete()


@transaction.atomic
def appoint(
    *,
    user: User,
    role: str,
    rank: str = "",
    operator: str = "",
    association: str = "",
    actor: str,
    now: dt.datetime,
) -> RoleAssignment:
    """Give a post. The same post again is left as it is; with another rank the old one ends and a new one begins.
    Raises RankNotAllowed, OperatorNeeded, AssociationNeeded; ValueError for a word that is no role.
    """
    role = Role(role)
    if rank not in ("", DIRECTOR) or (rank and role not in (Role.OFFICER, Role.SUPERVISOR)):
        raise RankNotAllowed(role, rank)
    if (role == Role.OPERATOR) != bool(operator):
        raise OperatorNeeded(role, operator)
    if (role == Role.ASSOCIATION) != bool(association):
        raise AssociationNeeded(role, association)
    place = {"operator": operator, "association": association}
    User.objects.select_for_update().get(pk=user.pk)
    held = RoleAssignment.objects.filter(user=user, role=role, ended_at__isnull=True, **place).first()
    if held is not None:
        if held.rank == rank:
            return held
        held.ended_at = now
        held.save(update_fields=["ended_at"])
    post = RoleAssignment.objects.create(user=user, role=role, rank=rank, appointed_at=now, **place)
    queries.forget_posts()
    journal.record(
        act="people.appointed",
        actor=actor,
        subject=f"person:{user.pk}",
        now=now,
        detail={"role": role, "rank": rank, **place},
    )
    return post


@transaction.atomic
def propose_post(*, user: User, role: str, rank: str = "", by: User, actor: str, now: dt.datetime) -> ProposedRole:
    """Give a post that counts once a second person agrees (`agree_to_post`). Again begins the time anew.

    Raises OwnPost, RankNotAllowed.
    """
    if user.pk in queries.accounts_of(by):
        raise OwnPost
    if rank not in ("", DIRECTOR) or (rank and role not in (Role.OFFICER, Role.SUPERVISOR)):
        raise RankNotAllowed(role, rank)
    facts = {"rank": rank, "proposed_by": by, "proposed_at": now}
    proposed, _ = ProposedRole.objects.update_or_create(user=user, role=Role(role), defaults=facts)
    _record_proposal("people.proposed_post", proposed, actor=actor, now=now)
    notify_of_post(user=user, title=proposed.label, change="proposed", actor=actor, now=now)
    return proposed


@transaction.atomic
def agree_to_post(*, id: int, by: User, actor: str, now: dt.datetime) -> RoleAssignment:
    """The second person's yes: from now on the post is held. Raises ProposalNotFound, also for whoever proposed it and
    for the one who is to get it; NotSecond."""
    proposed = queries.proposed_post_of(by, id=id, now=now, to_agree=True)
    seconding.check(by, [proposed.proposed_by_id, proposed.user_id], now)
    _record_proposal("people.agreed_to_post", proposed, actor=actor, now=now)
    proposed.delete()
    post = appoint(user=proposed.user, role=proposed.role, rank=proposed.rank, actor=actor, now=now)
    notify_of_post(user=post.user, title=post.label, change="given", actor=actor, now=now)
    return post


@transaction.atomic
def drop_proposed_post(*, id: int, by: User, actor: str, now: dt.datetime) -> None:
    """The second person's no, or the first one's second thoughts. Raises ProposalNotFound."""
    proposed = queries.proposed_post_of(by, id=id, now=now, to_agree=False)
    _record_proposal("people.dropped_post", proposed, actor=actor, now=now)
    proposed.delete()


def _record_proposal(act: str, proposed: ProposedRole, *, actor: str, now: dt.datetime) -> None:
    detail = {"role": proposed.role, "rank": proposed.rank, "proposed_by": f"administrator:{proposed.proposed_by_id}"}
    journal.record(act=act, actor=actor, subject=f"person:{proposed.user_id}", now=now, detail=detail)


@transaction.atomic
def end_post(*, post: RoleAssignment, actor: str, with_keys: bool = False, now: dt.datetime) -> RoleAssignment:
    """Take a post away. Ending it twice changes nothing. `with_keys`: the keys that its holder made for the operator's
    system end too. Without it they work on: they are the operator's, and its system may need them.
    """
    post = RoleAssignment.objects.select_for_update().get(pk=post.pk)
    if post.ended_at is None:
        post.ended_at = now
        post.save(update_fields=["ended_at"])
        queries.forget_posts()
        journal.record(
            act="people.ended_post",
            actor=actor,
            subject=f"person:{post.user_id}",
            now=now,
            detail={
                "role": post.role,
                "rank": post.rank,
                "operator": post.operator,
                "association": post.association,
            },
        )
    if with_keys and post.operator:
        import_string(settings.END_KEYS_OF_POST)(operator=post.operator, user=post.user, by=actor, now=now)
    return post


def notify_of_post(*, user: User, title: str, change: str, actor: str, now: dt.datetime) -> None:
    """Write to all supervisors and administrators, and to the person: `change` is proposed, given, ended or reset (of
    the second factor). Whoever plays two parts by appointing themselves does it before the eyes of all."""
    import_string(settings.POST_LETTER)(user=user, title=title, change=change, actor=actor, now=now)


@transaction.atomic
def forget_second_factors(*, user: User, actor: str, now: dt.datetime) -> int:
    """Take away the app, passkeys and recovery codes of someone who lost them; return how many there were.

    Their sessions end too: whoever has the lost phone is signed out.
    """
    removed, _ = Authenticator.objects.filter(user=user).delete()
    user.set_unusable_password()  # renews the random value that sessions are bound to
    user.save(update_fields=["password"])
    import_string(settings.END_PROGRAMS)(owner=user, now=now)
    journal.record(act="people.forgot_second_factors", actor=actor, subject=f"person:{user.pk}", now=now)
    return removed
