"""Addresses of pages that stand in what is handed out: in a certificate, in a letter, in an answer to a program."""

from django.conf import settings
from django.urls import reverse

from rahdari.apply import access
from rahdari.apply.models import Application
from rahdari.register.models import Registration
from rahdari.vault import links


def absolute(path: str) -> str:
    return settings.SITE_URL.rstrip("/") + path


def proves(application: Application) -> str:
    """The path of the link that proves whichever address of the application it is opened from."""
    return reverse("portal:prove_by_link", args=[application.reference, access.prove_all_token(application)])


def of_registration(registration: Registration) -> str:
    return reverse("portal:registration", args=[registration.reference])


def certifies(registration: Registration) -> str:
    """The path of the public check that shows the holder. It holds a secret, derived and stored nowhere."""
    token = links.token("certificate", registration.reference)
    return reverse("portal:certificate_link", args=[registration.reference, token])


def typed(name: str) -> str:
    """The address of a page, as it is typed from paper."""
    return settings.SITE_URL.partition("://")[2].rstrip("/") + reverse(name).rstrip("/")


def check() -> str:
    """The public check, as it is typed."""
    return typed("portal:check_number")
