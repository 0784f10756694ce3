"""Two holders behind one address: asking whoever has it; and answering who asks, stopping, backing out."""

import argparse
from typing import Any

from .calling import Json
from .filing import key_of
from .terminal import DONE, YOUR_TURN, endpoint_of, register_of, say


def share(given: argparse.Namespace) -> int:
    """How it stands with an address of an application; or ask, or take the question back."""
    register = register_of(given)
    at = f"/applications/{given.reference}/endpoints/{endpoint_of(register, given)['id']}/sharing"
    if given.take_back:
        register.ask("DELETE", at)
    said: Json = register.post(at, {"name": given.ask}) if given.ask else register.get(at)
    lines = [f"{said['address']}: {said['state']}. {said['text']}"]
    if said["answer_by"]:
        lines.append(f"  asked as {said['name']}, to be answered by {said['answer_by']}")
    if said["ask_again_at"]:
        lines.append(f"  may be asked again at {said['ask_again_at']}")
    if said["may_ask"]:
        lines.append("  Ask with --ask and the name that they read.")
    say(given, said, lines)
    return YOUR_TURN if said["may_ask"] or said["state"] == "unproved" else DONE


def sharing(given: argparse.Namespace) -> int:
    """Who asks, and what is shared; or answer, stop, back out."""
    register = register_of(given)
    for answer, id in (("yes", given.yes), ("no", given.no)):
        if id:
            at = f"/sharing/questions/{id}/answer"
            register.post(at, {"answer": answer}, key=key_of("sharing", at, answer))
    if given.stop:
        register.post(f"/sharing/parts/{given.stop}/notice")
    if given.go_on:
        register.ask("DELETE", f"/sharing/parts/{given.go_on}/notice")
    said: Json = register.get("/sharing")
    lines = [
        f"{each['id']}  May {each['name']} share {each['address']}? Answer by {each['answer_by']}"
        for each in said["questions"]
    ]
    lines += [line for each in said["shared"] for line in _shared(each)]
    say(given, said, lines or ["No address of yours is shared, and nobody asks."])
    return YOUR_TURN if said["questions"] else DONE


def _shared(each: Json) -> list[str]:
    ends = f"  your part ends at {each['leaves_at']}" if each["leaves_at"] else ""
    lines = [f"{each['address']}  {', '.join(each['registrations'])}{ends}"]
    for other in each["others"]:
        leaves = f", until {other['leaves_at']}" if other["leaves_at"] else ""
        lines.append(f"  {other['part'] or '-':<38}{other['name'] or 'somebody who was there before you'}{leaves}")
    return lines


def add_to(act: Any) -> None:
    """The arguments of these acts."""
    one = act("share", share, "Whether somebody else has an address that you have proved; and asking to share it.")
    one.add_argument("reference")
    one.add_argument("--address", default="", help="which address; needed when there are several")
    one.add_argument("--ask", default="", metavar="NAME", help="ask, by the name that they read")
    one.add_argument("--take-back", action="store_true", help="take the question back")
    one = act("sharing", sharing, "Who asks to share an address of yours, and what is shared.")
    one.add_argument("--yes", default="", metavar="QUESTION", help="agree")
    one.add_argument("--no", default="", metavar="QUESTION", help="refuse; no reason is needed")
    one.add_argument("--stop", default="", metavar="PART", help="stop sharing with them, with notice")
    one.add_argument("--go-on", default="", metavar="PART", help="take that notice back")
