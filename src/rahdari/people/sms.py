"""What SMS adds to the account: a mobile number, and whether short notes go there."""

from typing import Any

from django.urls import path

from rahdari.sms import numbers, queries

from . import sms_pages
from .models import User

urlpatterns = [
    path("account/number/", sms_pages.number, name="number"),
    path("account/number/code/", sms_pages.number_code, name="number_code"),
    path("account/number/remove/", sms_pages.remove_number, name="remove_number"),
    path("account/number/notes/", sms_pages.choose_notes, name="choose_notes"),
]


forget_number = numbers.forget_number


def on_account(user: User) -> dict[str, Any]:
    return {"contact_number": queries.contact_number(user), "sms_is_set_up": queries.is_set_up()}
