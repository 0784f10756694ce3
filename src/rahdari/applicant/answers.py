"""The answer to what an officer asks or announces."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.decide.models import CaseQuestion
from rahdari.policy import Policy


class Answer(forms.Form):
    """Free text, bounded by the policy; where papers go with it, they may be the whole answer."""

    answer = forms.CharField(
        label=gettext_lazy("Your answer"),
        error_messages={"required": gettext_lazy("Write an answer, or add a file")},
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, *args: object, longest: int, papers: bool = False, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.longest = longest
        self.fields["answer"].required = not papers

    def clean_answer(self) -> str:
        answer: str = self.cleaned_data["answer"]
        if len(answer) > self.longest:
            raise forms.ValidationError(
                _("Shorten the answer to %(limit)s characters. It has %(count)s.")
                % {"limit": self.longest, "count": len(answer)}
            )
        return answer


class AnotherOfficer(forms.Form):
    """Why another officer should decide."""

    why = forms.CharField(
        label=gettext_lazy("Why should somebody else decide?"),
        help_text=gettext_lazy("For example that you know the officer, or that you are in dispute with them."),
        max_length=2000,
        error_messages={
            "required": gettext_lazy("Write why, in a sentence or two."),
            "max_length": gettext_lazy("Shorten this to 2,000 characters."),
        },
        widget=forms.Textarea(attrs={"rows": 4}),
    )


def may_take_more_time(asked: CaseQuestion, policy: Policy) -> bool:
    return asked.extended < policy.extensions_of_a_question and asked.lapsed_at is None
