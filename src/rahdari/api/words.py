"""Words of the page of tokens."""

from django.utils.translation import gettext_lazy as _

from .rules import Scope

SCOPES = {
    Scope.APPLICATIONS_READ: _("Read your applications and their documents"),
    Scope.APPLICATIONS_WRITE: _("Begin, answer, send and withdraw applications"),
    Scope.ENDPOINTS_PROVE: _("Prove your addresses, and make passwords for changing ones"),
    Scope.REGISTRATIONS_READ: _("Read your registrations and certificates"),
    Scope.REGISTRATIONS_WRITE: _("Change and renew your registrations"),
    Scope.REGISTRATIONS_END: _("End and pause your registrations"),
    Scope.INVOICES_READ: _("Read your invoices and receipts"),
    Scope.LETTERS_READ: _("Read your letters"),
    Scope.ORGANISATIONS_READ: _("See your organisations, and their branches and mandates"),
    Scope.ORGANISATIONS_WRITE: _("Change branches, and say which addresses belong to them"),
    Scope.MANDATES_MANAGE: _("Give, accept and end mandates"),
    Scope.SHARING_MANAGE: _("Answer who asks to share an address of yours, and stop sharing"),
    Scope.REMOTE_MANAGE: _("Make and end links for people who work from home"),
    Scope.MEASUREMENTS_MANAGE: _("Agree to measuring, stop it, and say what your own program sees"),
    Scope.WEBHOOKS_MANAGE: _("Say where news is sent, and stop it"),
}
DAYS = {30: _("30 days"), 90: _("90 days"), 365: _("One year")}
