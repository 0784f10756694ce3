"""A code to a contact that the registry names for a range: why none is sent, and why one is not taken."""

from django.utils.translation import gettext as _

from rahdari.control import registries


def no_code(trouble: registries.NoCodeNow) -> str:
    if trouble.why == "unknown":
        return _("Choose one of the contacts")
    return _("The limit of codes is reached for now. Choose another method, or try again tomorrow.")


def not_taken(trouble: registries.CodeNotTaken) -> str:
    if trouble.why == "wrong":
        return _("This is not the code from the latest letter. Copy it from there.")
    return _("This code no longer works. Ask for a new one.")
