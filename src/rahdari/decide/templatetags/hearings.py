"""The parts of a page about a hearing, for the pages of other rooms in which somebody is heard."""

from collections.abc import Iterable
from typing import Any

from django import template

from rahdari.decide.hearing_forms import RecordHearingForm, SetHearingForm
from rahdari.decide.models import Hearing

register = template.Library()


@register.inclusion_tag("decide/_hearings.html")
def hearings_at_the_desk(hearings: Iterable[Hearing], record_form: RecordHearingForm | str) -> dict[str, Any]:
    """All of one matter, the first in front. `record_form`: one has begun, and is not written down yet."""
    return {"hearings": hearings, "record_form": record_form}


@register.inclusion_tag("decide/_hearing_forms.html")
def hearing_forms(
    set_form: SetHearingForm | str, record_form: RecordHearingForm | str, hearing_page: str
) -> dict[str, Any]:
    """Those of `hearing_views.forms_of`, sent to this page."""
    return {"set_form": set_form, "record_form": record_form, "hearing_page": hearing_page}
