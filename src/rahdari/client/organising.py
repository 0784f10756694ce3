"""Branches and mandates of organisations, people who work from home, and what associations say."""

import argparse
from typing import Any

from .calling import Json, Register, Trouble
from .terminal import DONE, one_of, register_of, say

CONTACT = ("city", "address", "contact_name", "contact_email", "contact_mobile")


def _at(register: Register, given: argparse.Namespace) -> str:
    """The address of the organisation that is meant."""
    items = register.get("/organisations")["items"]
    return f"/organisations/{one_of(items, given.organisation, what='organisation', option='--organisation')['id']}"


# -- branches ----------------------------------------------------------------------------------------------------------


def branches(given: argparse.Namespace) -> int:
    register = register_of(given)
    at = _at(register, given)
    body = {"name": given.name, **{name: getattr(given, name) for name in CONTACT if getattr(given, name)}}
    if given.add:
        register.post(f"{at}/branches", body | {"name": given.add})
    elif given.change or given.end or given.place:
        items = register.get(f"{at}/branches")["items"]
        wanted = given.change or given.end or given.place
        found = one_of(items, wanted, what="branch", option="--change, --end or --place")
        one = f"{at}/branches/{found['id']}"
        if given.change:
            kept = {name: found[name] for name in ("name", *CONTACT)}
            register.put(one, kept | {name: value for name, value in body.items() if value})
        elif given.end:
            register.ask("DELETE", one)
        else:
            _place(register, at, found["id"], given.addresses)
    said = {
        "branches": register.get(f"{at}/branches")["items"],
        "addresses": register.get(f"{at}/addresses")["items"],
    }
    names = {each["id"]: each["name"] for each in said["branches"]}
    lines = [f"{each['name']}: {each['addresses']} addresses" for each in said["branches"]]
    lines += [
        f"  {each['address']:<20}{each['registration']:<14}{names.get(each['branch'] or '', '-')}"
        for each in said["addresses"]
    ]
    say(given, said, lines or ["There is no branch, and no address."])
    return DONE


def _place(register: Register, at: str, branch: str, addresses: list[str]) -> None:
    known = register.get(f"{at}/addresses")["items"]
    chosen = [each["entry"] for each in known if each["address"] in addresses]
    if missing := set(addresses) - {each["address"] for each in known}:
        raise Trouble(f"Not registered to the organisation: {', '.join(sorted(missing))}")
    register.put(f"{at}/addresses", {"entries": chosen, "branch": branch})


# -- mandates ----------------------------------------------------------------------------------------------------------


def mandates(given: argparse.Namespace) -> int:
    register = register_of(given)
    if given.accept:
        register.post(f"/mandates/{given.accept}/accept")
    if given.give_up:
        register.ask("DELETE", f"/mandates/{given.give_up}")
    if given.give or given.take_back or given.given:
        return _given(register, given)
    said = register.get("/mandates")
    lines = [f"offered  {_mandate(each)}" for each in said["offered"]]
    lines += [f"held     {_mandate(each)}" for each in said["held"]]
    say(given, said, lines or ["There is none."])
    return DONE


def _given(register: Register, given: argparse.Namespace) -> int:
    at = f"{_at(register, given)}/mandates"
    if given.give:
        body = {"email": given.give, "agent_name": given.name, "scope": given.scope, "months": given.months}
        register.post(at, body | ({"services": given.service} if given.service else {}))
    if given.take_back:
        register.ask("DELETE", f"{at}/{given.take_back}")
    said = register.get(at)
    lines = [f"{each['state']:<9}{_mandate(each)}" for each in said["items"]]
    lines += [f"  {each['at']} {each['agent']}: {each['text']} {each['about']}" for each in said["done"]]
    say(given, said, lines or ["There is none."])
    return DONE


def _mandate(each: Json) -> str:
    services = ", ".join(each["services"]) or "all services"
    who = f"{each['organisation_name']} to {each['agent_name']}"
    return f"{each['id']}  {who}: {each['scope']}, {services}, until {each['valid_until'][:10]}"


# -- people who work from home ----------------------------------------------------------------------------------------


def remote(given: argparse.Namespace) -> int:
    """How many, their links by number, and the lines that stand; nobody's name or address."""
    register = register_of(given)
    at = f"/registrations/{given.reference}/remote-staff"
    if given.workers is not None:
        register.put(at, {"workers": given.workers})
    if given.links:
        register.post(f"{at}/links", {"count": given.links})
    if given.end:
        register.ask("DELETE", f"{at}/lines/{given.end}")
    said = register.get(at)
    lines = [f"{said['standing']} of {said['workers']} lines are registered; room for {said['room']} more links."]
    for each in said["lines"]:
        more = f"{each['link']}  until {each['link_ends_at'][:10]}" if each["link"] else f"since {each['agreed_at']}"
        lines.append(f"{each['line']:>6}  {each['state']:<10}  {more}")
    say(given, said, lines)
    return DONE


# -- attestations ------------------------------------------------------------------------------------------------------


def attestations(given: argparse.Namespace) -> int:
    register = register_of(given)
    if given.dispute:
        register.post(f"/attestations/{given.dispute}/dispute", {"said": given.said})
    said = register.get("/attestations")
    lines = []
    for each in said["items"]:
        lines.append(f"{each['number']}  {each['state']:<9}{each['association_name']}: {each['claim']}")
        if each["objection"]:
            lines.append(f"  objection: {each['objection']['text'] or 'no answer yet'}")
    say(given, said, lines or ["No association says anything of you."])
    return DONE


def association(given: argparse.Namespace) -> int:
    """Name the one that vouches in an application, or take it out."""
    register = register_of(given)
    at = f"/applications/{given.reference}/association"
    if given.leave:
        said = register.ask("DELETE", at)
    else:
        body = {"association_number": given.number} | ({"association": given.key} if given.key else {})
        said = register.put(at, body)
    found = said["answers"]["evidence"]
    named = f"{found['association']} vouches, by the number {found['association_number']}."
    lines = [named if found["kind"] == "association" else "No association is named: send documents."]
    lines += [f"  missing: {', '.join(said['missing'])}"] if said["missing"] else []
    say(given, said, lines)
    return DONE


def add_to(act: Any) -> None:
    """The arguments of these acts."""
    one = act("branches", branches, "Branches of an organisation, and which addresses belong to them.")
    one.add_argument("--organisation", default="", help="its name; needed when there are several")
    one.add_argument("--add", default="", metavar="NAME")
    one.add_argument("--change", default="", metavar="BRANCH")
    one.add_argument("--end", default="", metavar="BRANCH")
    one.add_argument("--place", default="", metavar="BRANCH", help="say that the addresses that follow belong to it")
    one.add_argument("addresses", nargs="*", metavar="ADDRESS")
    one.add_argument("--name", default="", help="with --change: its new name")
    for name in CONTACT:
        one.add_argument(f"--{name.replace('_', '-')}", default="")
    one = act("mandates", mandates, "Mandates offered to you and held; with --given, those that an organisation gave.")
    one.add_argument("--accept", default="", metavar="ID")
    one.add_argument("--give-up", default="", metavar="ID", help="also to decline")
    one.add_argument("--given", action="store_true")
    one.add_argument("--organisation", default="")
    one.add_argument("--give", default="", metavar="EMAIL")
    one.add_argument("--name", default="", help="with --give: who that is")
    one.add_argument("--scope", choices=("apply", "addresses", "see"), default="see")
    one.add_argument("--months", type=int, choices=(3, 12, 24), default=12)
    one.add_argument("--service", action="append", default=[])
    one.add_argument("--take-back", default="", metavar="ID")
    one = act("remote", remote, "People who work from home over a registration: the number, links, lines.")
    one.add_argument("reference")
    one.add_argument("--workers", type=int, metavar="NUMBER", help="tell how many there are")
    one.add_argument("--links", type=int, default=0, metavar="COUNT", help="make links for so many more")
    one.add_argument("--end", type=int, default=0, metavar="LINE", help="end a line, or its link, by its number")
    one = act("association", association, "Name the association that vouches in an application, or take it out.")
    one.add_argument("reference")
    which = one.add_mutually_exclusive_group(required=True)
    which.add_argument("--number", default="", help="under which it knows you")
    which.add_argument("--leave", action="store_true", help="send documents instead")
    one.add_argument("--key", default="", help="which one; needed where the service names several")
    one = act("attestations", attestations, "What associations say of you; and objecting to it.")
    one.add_argument("--dispute", default="", metavar="NUMBER")
    one.add_argument("--said", default="")
