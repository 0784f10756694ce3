"""Announced work in the reader's words: what it does, why, how it stands, and what is wrong with what was given."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from rahdari.address import format_block
from rahdari.people import quoting
from rahdari.web import values

from . import actions, maintnote, queries
from .maintnote import Fault, Trouble
from .models import Notice
from .rules import Impact, LineFault, LineTrouble, Reason, State, Status, Stays, WindowFault


def impact(key: str) -> str:
    return {
        Impact.NO_IMPACT: _("Nothing happens"),
        Impact.REDUCED_REDUNDANCY: _("Works, without its spare path"),
        Impact.DEGRADED: _("Works, slower or with gaps"),
        Impact.OUTAGE: _("Does not answer"),
    }[Impact(key)]


def reason(key: str) -> str:
    return {
        Reason.MOVE: _("Lines move to other equipment"),
        Reason.UPGRADE: _("Equipment or software is renewed"),
        Reason.REPAIR: _("A fault is repaired"),
        Reason.CABLE: _("Work on a cable"),
        Reason.POWER: _("Work on the power supply"),
        Reason.CAPACITY: _("More capacity is built"),
        Reason.RENUMBER: _("Addresses are changed"),
        Reason.SECURITY: _("A weakness in the network’s own equipment is closed"),
        Reason.TEST: _("A test"),
        Reason.ORDERED: _("A public body ordered it"),
        Reason.REGISTER: _("Work on the register itself"),
        Reason.OTHER: _("As described"),
    }[Reason(key)]


def state(key: str) -> str:
    return {
        State.DRAFT: pgettext("planned work", "Draft"),
        State.ANNOUNCED: pgettext("planned work", "Announced"),
        State.STARTED: pgettext("planned work", "In progress"),
        State.COMPLETED: pgettext("planned work", "Completed"),
        State.CANCELLED: pgettext("planned work", "Cancelled"),
    }[State(key)]


def status(key: str) -> str:
    """How a notice of this status is told to a holder."""
    return {
        Status.TENTATIVE: _("Planned. The time may still change."),
        Status.CONFIRMED: _("Planned, and the time is fixed."),
        Status.CANCELLED: _("Cancelled. Nothing happens to your addresses."),
        Status.IN_PROCESS: _("The work has begun."),
        Status.COMPLETED: _("The work is over."),
    }[Status(key)]


def stays(key: str) -> str:
    """Why work is not moved."""
    return {
        Stays.URGENT: _("It cannot wait: the fault would get worse"),
        Stays.OTHERS: _("Others work on it at that time"),
        Stays.WORSE: _("Another night interrupts more connections"),
        Stays.ORDERED: _("A public body set the time"),
        Stays.MOVED_BEFORE: _("It was moved once already"),
    }[Stays(key)]


def night_not_taken() -> str:
    return _("Enter a day that is still to come, and not the one of the work.")


def interrupted(minutes: int) -> str:
    said = ngettext(
        "Without an answer for %(count)s minute at most", "Without an answer for %(count)s minutes at most", minutes
    )
    return said % {"count": minutes}


def and_more(count: int) -> str:
    return ngettext("and %(count)s more", "and %(count)s more", count) % {"count": values.figure(count)}


def changes(before: Notice, after: Notice) -> list[str]:
    """What a consumer reads of a notice that follows another one: what was said before, where it is different now."""
    found = []
    if before.status == Status.CANCELLED:
        found.append(_("It was cancelled, and is planned again."))
    elif before.status != after.status:
        is_open = after.status == Status.TENTATIVE
        found.append(_("The time may change again.") if is_open else _("The time is fixed now."))
    if (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at):
        told = {"start": values.moment(before.starts_at), "end": values.moment(before.ends_at)}
        found.append(_("The time was %(start)s to %(end)s.") % told)
    if before.minutes != after.minutes:
        was = interrupted(before.minutes) if before.minutes else _("not said")
        found.append(_("For how long, before: %(said)s.") % {"said": was})
    if before.reason != after.reason:
        found.append(_("The reason was: %(reason)s.") % {"reason": reason(before.reason)})
    if (before.text_en, before.text_ur) != (after.text_en, after.text_ur):
        found.append(_("What is written about it is different."))
    old, new = dict(before.affected), dict(after.affected)
    for what in dict.fromkeys([*old, *new]):
        told = {"what": values.plain_ltr(what), "old": impact(old.get(what, Impact.NO_IMPACT))}
        if what not in old:
            found.append(_("%(what)s is affected too.") % told)
        elif what not in new:
            found.append(_("%(what)s is not affected any more.") % told)
        elif old[what] != new[what]:
            found.append(_("%(what)s, before: %(old)s.") % told)
    return found


def did(key: str) -> str:
    """What became of a notice that was read in."""
    return {
        "drafted": _("A draft is made. Look at it, then announce it."),
        "edited": _("The draft is changed."),
        "discarded": _("The draft is deleted."),
        "changed": _("The announced work is changed. The holders are told."),
        "cancelled": _("The announced work is cancelled. The holders are told."),
        "started": _("It is noted that the work has begun."),
        "prolonged": _("The expected end is changed."),
        "completed": _("It is noted that the work is over. The holders are told."),
        "known": _("This was read before. Nothing changed."),
        "refused": _("Not taken"),
    }[key]


# -- what is wrong -------------------------------------------------------------------------------------------------


def line_trouble(trouble: LineTrouble) -> str:
    """What is wrong with the list of what is affected, and how to mend it."""
    if trouble.fault is LineFault.NOTHING:
        return _("Enter at least one address, range or entry, one on each line.")
    told = {"line": trouble.line, "text": values.plain_ltr(trouble.text[:60]), "limit": values.figure(trouble.limit)}
    told["meant"] = values.plain_ltr(trouble.suggestion)
    match trouble.fault:
        case LineFault.TOO_MANY:
            return _("Line %(line)s: %(limit)s lines are the limit. Use ranges, or announce it in two parts.") % told
        case LineFault.ADDRESS if trouble.suggestion:
            return _("Line %(line)s: %(text)s is no address or range. Did you mean %(meant)s?") % told
        case LineFault.ADDRESS:
            return _("Line %(line)s: %(text)s is no address, range or entry of the feed. Check it.") % told
        case LineFault.PROTOCOL:
            return _("Line %(line)s: %(text)s is no protocol. Enter udp, tcp, esp or gre, or leave it out.") % told
        case LineFault.PORT:
            return _("Line %(line)s: %(text)s is no port of this protocol. Enter 1 to 65535, with udp or tcp.") % told
        case LineFault.IMPACT:
            told["impacts"] = values.plain_ltr(", ".join(Impact))
            return _("Line %(line)s: %(text)s is no impact. Enter one of these: %(impacts)s") % told
        case _:
            return (
                _("Line %(line)s: %(text)s cannot be here. Behind an entry of the feed there is an impact only.") % told
            )


def window_fault(fault: WindowFault, *, hours: int, days: int, after: str) -> str:
    return {
        WindowFault.MISSING: _("Enter when the work begins and ends."),
        WindowFault.ENDS_FIRST: _("The end must be later than the beginning."),
        WindowFault.PAST: _("This time is over. Enter a time that is still to come."),
        WindowFault.TOO_LONG: _("%(hours)s hours are the longest window. Announce longer work in parts.")
        % {"hours": hours},
        WindowFault.TOO_FAR: _("Work can be announced %(days)s days ahead at most.") % {"days": days},
        WindowFault.INTERRUPTED_LONGER: _("The interruption cannot be longer than the window."),
        WindowFault.NOT_LONGER: _("Enter a time that is later than %(time)s.") % {"time": after},
    }[fault]


def refused(error: Exception) -> str:
    """Why an act of `actions` was not done."""
    match error:
        case actions.WindowNotTaken():
            terms = queries.terms()
            facts = {"hours": terms.longest_hours, "days": terms.most_days_ahead}
            said = window_fault(error.fault, **facts, after=values.when(error.after))
            if error.starts_at is None or error.ends_at is None:
                return said
            given = {"start": values.moment(error.starts_at), "end": values.moment(error.ends_at)}
            given["zone"] = values.plain_ltr(values.zone())
            return f"{said} {_('Given: %(start)s to %(end)s (%(zone)s).') % given}"
        case actions.EntryNotYours():
            told = {"entry": values.plain_ltr(error.feed_id)}
            return _("No entry of your networks has the number %(entry)s. Take it from your feed as it is now.") % told
        case actions.NetworkNotYours():
            told = {"block": values.plain_ltr(format_block(error.block))}
            return _("%(block)s is announced by other networks. Name addresses of your own networks only.") % told
        case actions.TooManyOpen():
            told = {"most": values.figure(error.most)}
            return _("You have %(most)s drafts and announced works, which is the limit. End some first.") % told
        case quoting.LeadsAway():
            return quoting.why_not(error)
        case actions.SaysNotWhy():
            return _("Say in one sentence what is done, in English, in Urdu or in both.")
        case actions.NothingAffected():
            return _("Enter at least one address, range or entry, one on each line.")
        case actions.TooEarly():
            return _("It is too early for this. It is possible from %(time)s on.") % {"time": values.when(error.since)}
        case _:
            return _("This is not possible any more: the work has moved on. Load the page again.")


def file_trouble(trouble: Trouble) -> str:
    """What is wrong with a calendar file that was read in, and how to mend it."""
    told = {
        "event": trouble.event,
        "name": values.plain_ltr(trouble.name),
        "given": values.plain_ltr(trouble.given),
        "kilobytes": maintnote.LARGEST // 1024,
        "most": maintnote.MOST_EVENTS,
        "length": maintnote.LONGEST_ID,
    }
    match trouble.fault:
        case Fault.TOO_LARGE:
            return _("The file is too large. %(kilobytes)s kilobytes are the limit.") % told
        case Fault.NO_CALENDAR:
            return (
                _("This is no calendar file (iCalendar). Send the .ics file itself, of an email its attachment.") % told
            )
        case Fault.NO_EVENT:
            return _("The calendar file has no event. Add one for each notice.") % told
        case Fault.TOO_MANY:
            return _("The file has more than %(most)s events. Send it in parts.") % told
        case Fault.MISSING:
            return _("Event %(event)s: %(name)s is missing. Add it.") % told
        case Fault.TWICE:
            return _("Event %(event)s: %(name)s is there more than once. Keep one.") % told
        case Fault.TIME:
            return _("Event %(event)s: %(name)s is no time. Write it like 20261201T190000Z.") % told
        case Fault.NO_ZONE:
            return _("Event %(event)s: %(name)s has no time zone. Write it in UTC, with a Z at its end.") % told
        case Fault.SEQUENCE:
            return _("Event %(event)s: SEQUENCE %(given)s is no whole number. Begin at 0.") % told
        case Fault.STATUS:
            told["known"] = values.plain_ltr(", ".join(Status))
            return _("Event %(event)s: the status %(given)s is not of the standard. Use one of these: %(known)s") % told
        case Fault.IMPACT:
            told["known"] = values.plain_ltr(", ".join(Impact))
            return _("Event %(event)s: the impact %(given)s is not of the standard. Use one of these: %(known)s") % told
        case Fault.OBJECT if trouble.count > 1:
            told["count"] = values.figure(trouble.count)
            return _("Event %(event)s: %(count)s objects cannot be read as address, range or entry: %(given)s") % told
        case Fault.OBJECT if trouble.meant:
            told["meant"] = values.plain_ltr(trouble.meant)
            return _("Event %(event)s: the object %(given)s is no address or range. Did you mean %(meant)s?") % told
        case Fault.OBJECT:
            return (
                _("Event %(event)s: the object %(given)s is no address, range or entry of the feed. Check it.") % told
            )
        case Fault.RECURS:
            return (
                _(
                    "Event %(event)s: %(name)s says that it recurs. Write an event for each time, each with a "
                    "maintenance id of its own."
                )
                % told
            )
        case Fault.TWO_WORDS:
            return (
                _(
                    "Event %(event)s: an event before it has the maintenance id %(given)s and the same SEQUENCE, and "
                    "says something else. Give each work its own id, and each change the next SEQUENCE."
                )
                % told
            )
        case Fault.LONG_ID:
            return _("Event %(event)s: the maintenance id is longer than %(length)s characters. Shorten it.") % told
