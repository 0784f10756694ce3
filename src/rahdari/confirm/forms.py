"""The forms of the operators' desk."""

from django import forms
from django.utils.translation import gettext_lazy as _


class FileForm(forms.Form):
    use_required_attribute = False
    answers = forms.FileField(
        label=_("File with your answers"),
        help_text=_("CSV, up to 5,000 rows. You see the result for each row before anything is sent."),
        error_messages={
            "required": _("Choose the file with your answers"),
            "empty": _("The file has no rows. Choose the file with your answers."),
        },
        widget=forms.FileInput(attrs={"class": "input drop", "accept": ".csv,text/csv"}),
    )


class TokenForm(forms.Form):
    use_required_attribute = False
    name = forms.CharField(
        label=_("What the key is for"),
        help_text=_("For example the name of your system. You see it beside the key."),
        max_length=60,
        error_messages={"required": _("Enter what the key is for"), "max_length": _("Use 60 characters at most")},
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    sandbox = forms.BooleanField(required=False)


class CallbackForm(forms.Form):
    use_required_attribute = False
    url = forms.CharField(
        label=_("Address of your system"),
        help_text=_("It begins with https:// and is reachable from the internet."),
        max_length=500,
        error_messages={
            "required": _("Enter the address of your system"),
            "max_length": _("Use 500 characters at most"),
        },
        widget=forms.TextInput(attrs={"class": "input", "dir": "ltr", "inputmode": "url", "autocomplete": "off"}),
    )
