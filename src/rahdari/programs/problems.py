"""The problems that programs are told of (RFC 9457): type, status, title; and which errors of the rooms become which.

`urn:rahdari:problem:KIND` is the type, for ever, on every interface. `detail` says what is wrong here, in the reader's
language; `errors` lists faults one by one, each with `pointer` (into the body), `code` and `detail`. A room declares
the kinds of its own with `declare`, and what its errors become with `problem_for`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from .answers import Problem
from .schema import REQUIRED, TOO_LONG, TOO_SHORT, UNKNOWN, WRONG_TYPE, Fault, Json


@dataclass(frozen=True)
class Kind:
    status: int
    title: str | Promise


KINDS: dict[str, Kind] = {
    "invalid-request": Kind(400, gettext_lazy("The request does not match its description")),
    "unauthorised": Kind(401, gettext_lazy("No valid token was shown")),
    "missing-scope": Kind(403, gettext_lazy("The token may not do this")),
    "person-needed": Kind(403, gettext_lazy("A person has to do this on the page")),
    "not-found": Kind(404, gettext_lazy("There is nothing here for you")),
    "method-not-allowed": Kind(405, gettext_lazy("This method is not for this address")),
    "not-possible-now": Kind(409, gettext_lazy("This is not possible at the moment")),
    "in-progress": Kind(409, gettext_lazy("The first request with this key is not answered yet")),
    "changed-meanwhile": Kind(412, gettext_lazy("It was changed since you read it")),
    "too-large": Kind(413, gettext_lazy("This is too much at once")),
    "unsupported-media-type": Kind(415, gettext_lazy("The body has the wrong type")),
    "not-taken": Kind(422, gettext_lazy("We cannot accept what was sent")),
    "key-reused": Kind(422, gettext_lazy("This key was already used with a different request")),
    "too-many-requests": Kind(429, gettext_lazy("Too many requests")),
    "broke": Kind(500, gettext_lazy("Something went wrong on our side")),
    "away": Kind(503, gettext_lazy("We are back in a moment")),
}
# What is wrong with a part of a request.
WORDS = {
    REQUIRED: gettext_lazy("%(name)s is missing."),
    UNKNOWN: gettext_lazy("%(name)s is not known here."),
    WRONG_TYPE: gettext_lazy("%(name)s has the wrong type: %(limit)s is expected."),
    TOO_LONG: gettext_lazy("%(name)s is too long: the maximum is %(limit)s."),
    TOO_SHORT: gettext_lazy("%(name)s is too short: the minimum is %(limit)s."),
    "too_small": gettext_lazy("%(name)s is too small: the minimum is %(limit)s."),
    "too_large": gettext_lazy("%(name)s is too large: the maximum is %(limit)s."),
    "not_a_choice": gettext_lazy("%(name)s is one of: %(limit)s."),
}
OTHERWISE = gettext_lazy("%(name)s does not have the format described.")
# What most acts may tell of.
IMPOSSIBLE = ("not-possible-now",)
REFUSED = (*IMPOSSIBLE, "not-taken")


def declare(**kinds: tuple[int, str]) -> None:
    """Kinds of a room's own, by name with low lines in place of hyphens: status and title, in English."""
    KINDS.update({name.replace("_", "-"): Kind(*found) for name, found in kinds.items()})


def plain(text: object) -> str:
    """Without the invisible signs that keep numbers in their place, where no text runs from right to left."""
    found = str(text)
    if (get_language() or "en").startswith("ur"):
        return found
    return "".join(sign for sign in found if sign not in "\u2066\u2067\u2068\u2069")


def problem(kind: str, detail: object, headers: Mapping[str, str] | None = None, **more: Any) -> Problem:
    """A problem of a declared kind; `more` are its extension members. Raises KeyError for any other kind."""
    found = KINDS[kind]
    return Problem(found.status, kind, plain(detail), headers, title=str(found.title), **more)


def error(pointer: str, code: str, detail: object) -> Json:
    """One of the `errors`; `pointer` is a JSON Pointer (RFC 6901) into the body."""
    return {"pointer": pointer, "code": code, "detail": plain(detail)}


def not_taken(errors: Iterable[Json]) -> Problem:
    """The problem `not-taken` with these errors (see `error`); its detail is that of the first."""
    listed = list(errors)
    return problem("not-taken", listed[0]["detail"] if listed else _("Look at the errors."), errors=listed)


def of_form(form: forms.Form, names: Mapping[str, str] | None = None) -> Problem:
    """What the page would say beside each field. `names` are those of the fields in the body, where they differ."""
    listed: list[Json] = []
    for field, found in form.errors.as_data().items():
        pointer = "" if field == "__all__" else f"/{(names or {}).get(field, field)}"
        for each in found:
            code = str(each.code or "invalid")
            listed.extend(error(pointer, code, message) for message in each.messages)
    return not_taken(listed)


def of_faults(found: Iterable[Fault], *, where: str = "body") -> Problem:
    errors = [{"in": where, **error(each.pointer, each.code, _words(each))} for each in found]
    return problem("invalid-request", errors[0]["detail"], errors=errors)


def _words(fault: Fault) -> str:
    said = {"name": fault.pointer.lstrip("/") or _("the body"), "limit": fault.limit}
    return str(WORDS.get(fault.code, OTHERWISE)) % said


def not_found() -> Problem:
    return problem("not-found", _("It is not there, or it is not yours."))


def too_many(seconds: str) -> Problem:
    told = ngettext("Try again in %(count)s second.", "Try again in %(count)s seconds.", int(seconds))
    return problem("too-many-requests", told % {"count": seconds}, {"Retry-After": seconds})


def impossible(code: str, detail: object, **more: Any) -> Problem:
    return problem("not-possible-now", detail, code=code, **more)


# -- errors of the rooms -------------------------------------------------------------------------------------------

TOLD: dict[type[Exception], Callable[[Any], Problem]] = {}


def problem_for(*errors: type[Exception]) -> Callable[[Callable[[Any], Problem]], Callable[[Any], Problem]]:
    """Says what becomes of an error of a room, wherever it is raised."""

    def keep(make: Callable[[Any], Problem]) -> Callable[[Any], Problem]:
        TOLD.update(dict.fromkeys(errors, make))
        return make

    return keep


def of_error(found: BaseException) -> Problem | None:
    make = next((TOLD[kind] for kind in type(found).__mro__ if kind in TOLD), None)
    return make(found) if make is not None else None
