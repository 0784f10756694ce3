"""What anybody may read: which services there are, what each asks for, and where the three questions lead."""

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.applicant.titles import words
from rahdari.apply import eligible, rules
from rahdari.apply import queries as apply
from rahdari.apply.eligible import Outcome, Use
from rahdari.apply.rules import Which
from rahdari.calendar import queries as calendars
from rahdari.calendar.words import what_it_says
from rahdari.letters import queries as letters
from rahdari.policy import READ, Allowance, Service
from rahdari.policy.asked_fields import ASKABLE
from rahdari.policy.corrections import Kind
from rahdari.policy.sorts import SORTS
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import not_found, plain
from rahdari.programs.schema import DAY, MOMENT, TRUTH, Json, choice, closed, listed, named, or_null, text, whole

from .interface import API, Call
from .serializers import stamp_or_none

public = API.part("services", None)
TITLED = closed({"key": text(60), "title": text(500), "hint": text(2000)})
SERVICE = named(
    "Service",
    closed(
        {
            "key": text(60),
            "title": text(500),
            "hint": text(2000),
            "open": TRUTH,
            "holder": choice("organisation", "person"),
            "steps": listed(text(20)),
            "asks": closed({}, {datum: choice(*ways) for datum, ways in ASKABLE.items()}),
            "documents": listed(
                closed(
                    TITLED["properties"]
                    | {"required": TRUTH, "group": or_null(text(60)), "may_follow": TRUTH, "names_a_last_day": TRUTH}
                )
            ),
            "evidence": listed(
                closed(
                    TITLED["properties"]
                    | {
                        "wants": choice(*SORTS, "association"),
                        "weight": choice("alone", "provisional", "supporting"),
                        "conditions": listed(text(2000)),
                    }
                )
            ),
            "associations": listed(closed({"key": text(60), "title": text(500)})),
            "checks": listed(closed({"kind": text(20), "title": text(500), "required": TRUTH})),
            "fee": closed({"due": TRUTH, "text": text(2000)}),
            "decided_within": closed({"length": whole(0, 100_000), "unit": text(20)}),
            "valid_months": whole(0, 1200),
            "asks_subscriber_number": TRUTH,
            "limits": closed(
                {
                    "endpoints": whole(1, 100_000),
                    "shortest_prefix_v4": whole(0, 32),
                    "shortest_prefix_v6": whole(0, 128),
                    "documents": whole(0, 100_000),
                    "document_bytes": whole(0, 2**40),
                    "document_types": listed(text(80)),
                }
            ),
        }
    ),
)


# What happens to connections that are not on the register, and whose word that is; the pages say the same.
UNREGISTERED = or_null(
    named(
        "Unregistered",
        closed(
            {
                "effect": choice("none", "ordered"),
                "text": text(2000),
                "instrument": or_null(closed({"title": text(500), "read": choice(*READ)})),
                "since": or_null(DAY),
                "signed": or_null(closed({"name": text(), "office": text(), "on": DAY})),
            }
        ),
    )
)


def _unregistered() -> Json | None:
    said = apply.policy_in_force().unregistered
    if said is None:
        return None
    by = said.instrument
    return {
        "effect": said.effect,
        "text": words(said.text),
        "instrument": {"title": words(by.title), "read": by.read} if by else None,
        "since": said.on.isoformat() if said.on else None,
        "signed": {"name": said.signed.name, "office": said.signed.office, "on": said.signed.on}
        if said.signed.is_signed
        else None,
    }


def _allowance(found: Allowance) -> Json:
    return {"length": found.length, "unit": str(found.unit)}


def _evidence(service: Service) -> list[Json]:
    found = [
        {
            "key": kind.key,
            "title": words(kind.title),
            "hint": words(kind.hint),
            "wants": kind.wants,
            "weight": kind.weight,
            "conditions": [words(each) for each in kind.conditions],
        }
        for kind in service.evidence
    ]
    if rules.takes_association(service):
        told = {"title": _("Your association vouches for you"), "hint": "", "wants": "association", "weight": "alone"}
        found.append({"key": rules.ASSOCIATION, "conditions": [], **told})
    return found


def _service(service: Service) -> Json:
    policy = apply.policy_in_force()
    limits = policy.limits
    return {
        "key": service.key,
        "title": words(service.title),
        "hint": words(service.hint),
        "open": service.open,
        "holder": service.holder,
        "steps": [str(step) for step in rules.steps_of(service)],
        "asks": dict(service.asks),
        "documents": [
            {
                "key": rule.key,
                "title": words(rule.title),
                "hint": words(rule.hint),
                "required": rule.required,
                "group": rule.group,
                "may_follow": rule.may_follow,
                "names_a_last_day": rule.expires,
            }
            for rule in service.documents
        ],
        "evidence": _evidence(service),
        "associations": [
            {"key": each.key, "title": words(each.title)}
            for each in (policy.attesting.asked_for(service.key) if policy.attesting else ())
        ],
        "checks": [
            {"kind": each.kind, "title": words(each.title), "required": each.required} for each in service.checks
        ],
        "fee": {"due": service.fee.rule != "free", "text": words(service.fee.text)},
        "decided_within": _allowance(policy.clocks[service.clock]),
        "valid_months": service.validity_months,
        "asks_subscriber_number": service.asks_operator,
        "limits": {
            "endpoints": limits.most_endpoints(service.holder),
            "shortest_prefix_v4": limits.shortest_prefix_v4,
            "shortest_prefix_v6": limits.shortest_prefix_v6,
            "documents": limits.documents_per_application,
            "document_bytes": limits.document_bytes,
            "document_types": list(limits.document_types),
        },
    }


@public(
    "GET",
    "/services",
    Ok(
        "The services of the policy in force.",
        closed({"policy": text(60), "unregistered": UNREGISTERED, "services": listed(SERVICE)}),
    ),
)
def list_services(call: Call) -> Answer:
    """List the services.

    The rules in force as data: what each service asks for, costs, and how long a decision takes.
    """
    policy = apply.policy_in_force()
    services = [_service(each) for each in policy.services.values()]
    return Answer({"policy": policy.version, "unregistered": _unregistered(), "services": services})


@public("GET", "/services/{key}", Ok("The service.", SERVICE))
def get_service(call: Call, key: str) -> Answer:
    """Read one service."""
    found = apply.policy_in_force().services.get(key)
    if found is None:
        raise not_found()
    return Answer(_service(found))


@public(
    "GET",
    "/eligibility",
    Ok(
        "`way` is `apply` with the service, another way out, or null while a question is open: `ask` names it.",
        closed(
            {
                "outcome": or_null(choice(*(str(outcome) for outcome in Outcome))),
                "service": or_null(text(60)),
                "ask": or_null(choice("who", "use", "which")),
                "unregistered": UNREGISTERED,
            }
        ),
    ),
    query={"who": text(60), "use": choice(*Use), "which": choice(*Which)},
)
def get_eligibility(call: Call) -> Answer:
    """Where the three questions lead.

    Who you are (the key of a service, `licensed` or `none`), what the VPN is for, and which address or number it is:
    the questions before an application. What the rules in force do not ask may be left out.
    """
    policy, answers = apply.policy_in_force(), {name: call.query.get(name) for name in ("who", "use", "which")}
    use, which = answers["use"], answers["which"]
    found = eligible.eligibility(
        who=answers["who"],
        use=Use(use) if use else None,
        which=Which(which) if which else None,
        policy=policy,
        sms=letters.sms_is_set_up(),
    )
    if found is None:
        return _outcome(ask=eligible.open_questions(policy, answers)[0])
    return _outcome(outcome=str(found.outcome), service=found.service)


def _outcome(*, outcome: str | None = None, service: str | None = None, ask: str | None = None) -> Answer:
    return Answer({"outcome": outcome, "service": service, "ask": ask, "unregistered": _unregistered()})


@public(
    "GET",
    "/calendar",
    Ok(
        "The calendar in force. `week` has the hours of the policy, Monday first; `days` what is different.",
        closed(
            {
                "zone": text(60),
                "week": listed(listed(text(20))),
                "days": listed(
                    closed(
                        {
                            "first": DAY,
                            "last": DAY,
                            "kind": choice(*Kind),
                            "title": text(),
                            "text": text(500),
                            "source": text(),
                            "status": choice("estimated", "notified", "superseded"),
                            "in_force_since": MOMENT,
                            "replaced_at": or_null(MOMENT),
                        }
                    )
                ),
            }
        ),
    ),
)
def get_calendar(call: Call) -> Answer:
    """Office days and hours, by which times are counted.

    What the office said of days to come and of the last months: closures, other hours, and days that are open after
    all. A time that was told is never made earlier by it.
    """
    calendar, language = calendars.in_force(), get_language() or "en"
    return Answer(
        {
            "zone": calendar.zone,
            "week": [[f"{each.opens:%H:%M}-{each.closes:%H:%M}" for each in slots] for slots in calendar.week],
            "days": [
                {
                    "first": row.first.isoformat(),
                    "last": row.last.isoformat(),
                    "kind": row.kind,
                    "title": row.title_in(language),
                    "text": plain(what_it_says(row)),
                    "source": row.source,
                    "status": "superseded" if row.replaced_by is not None else row.status,
                    "in_force_since": stamp_or_none(row.confirmed_at),
                    "replaced_at": stamp_or_none(row.replaced_at),
                }
                for row in calendars.published(call.now)
            ],
        }
    )
