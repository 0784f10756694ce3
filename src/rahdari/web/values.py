"""How a value is written: addresses, codes, names, times, spans and figures, in the reader's language.

Values that run left to right (addresses, codes, telephone numbers) are isolated here, in the value and not in the
sentence around it, so that no translator can lose it. Everything returned for a page is escaped.
"""

import datetime as dt
import re
from typing import Any

from django.template.defaultfilters import date as format_date
from django.template.defaultfilters import linebreaksbr
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, npgettext
from django.utils.translation import gettext as _

# Unicode's isolates. In plain text they do what <bdi> does on a page.
LEFT_TO_RIGHT, FIRST_STRONG, END = "\u2066", "\u2068", "\u2069"
_OUR_NUMBER = re.compile(r"\b([A-Z]{1,2}(?:-[0-9A-Z]{4}){2,3})\b")
_ARABIC, _LATIN = re.compile("[\u0600-\u06ff]"), re.compile("[A-Za-z]")
_ISOLATED = re.compile(f"{LEFT_TO_RIGHT}([^{LEFT_TO_RIGHT}{FIRST_STRONG}{END}]*){END}")


def ltr(value: Any) -> SafeString:
    """An address, reference, code or telephone number, kept left to right whatever surrounds it."""
    return format_html('<bdi dir="ltr">{}</bdi>', value)


def code(value: Any) -> SafeString:
    """The same, as something to be typed or copied."""
    return format_html('<code dir="ltr">{}</code>', value)


def name(value: Any) -> SafeString:
    """A name of unknown script."""
    return format_html("<bdi>{}</bdi>", value)


def plain_ltr(value: Any) -> str:
    """`ltr` for plain text: titles, labels, options, subjects. Not for text that is copied."""
    return f"{LEFT_TO_RIGHT}{value}{END}"


def plain_name(value: Any) -> str:
    return f"{FIRST_STRONG}{value}{END}"


def whole(value: Any) -> SafeString:
    """A sentence whose values carry Unicode's isolates, or none and numbers of ours, as the subject of an English
    letter: each becomes one word, which no line breaks at its hyphens."""
    text = str(conditional_escape(value))
    values = _ISOLATED if LEFT_TO_RIGHT in text or hasattr(value, "__html__") else _OUR_NUMBER
    return mark_safe(values.sub(r'<bdi dir="ltr">\1</bdi>', text))  # noqa: S308 (escaped above)


def own_words(text: str, more: str = "") -> SafeString:
    """What somebody wrote by hand, as it was written: on a page in the other language its language is said, once, and
    a screen reader reads it in that. `more` is what the same person wrote in another field of the form."""
    text = f"{text}\n\n{more}" if more else text
    note, language, direction = _written(text)
    return format_html('{}<p lang="{}" dir="{}">{}</p>', note, language, direction, linebreaksbr(text))


def _written(text: str) -> tuple[SafeString, str, str]:
    """The note of a language that is not the page's; the language, and its direction."""
    language = "ur" if len(_ARABIC.findall(text)) > len(_LATIN.findall(text)) else "en"
    note = SafeString()
    if language != get_language():
        said = _("These words were written in Urdu.") if language == "ur" else _("These words were written in English.")
        note = format_html('<p class="quiet small">{}</p>', said)
    return note, language, "rtl" if language == "ur" else "ltr"


def quoted(text: str, who: str) -> SafeString:
    """What one party says to another, on a page or in a letter of ours: whose words they are, and the words as a quote
    that they cannot end. Nothing in it becomes a link."""
    note, language, direction = _written(text)
    writes = format_html(_("%(who)s writes:") % {"who": "{}"}, name(who))
    words = linebreaksbr(_within(text), autoescape=True)
    marks = "”{}“" if language == "ur" else "“{}”"
    quote = format_html(
        '<blockquote lang="{}" dir="{}"><p>{}</p></blockquote>', language, direction, format_html(marks, words)
    )
    return format_html("<p>{}</p>{}{}", writes, note, quote)


def quoted_name(value: Any) -> SafeString:
    """A name in the words of whoever typed it, in a letter or on a page to somebody else: it cannot end the quote."""
    marks = "”<bdi>{}</bdi>“" if get_language() == "ur" else "“<bdi>{}</bdi>”"
    return format_html(marks, _within(str(value)))


def quoted_line(text: str, who: str) -> str:
    """The same in plain text, in one line."""
    return _("%(who)s writes: “%(text)s”") % {"who": who, "text": " ".join(_within(text).split())}


def _within(text: str) -> str:
    return text.translate({ord("“"): "‘", ord("”"): "’"})


def figure(value: int | float | None) -> str:
    """18,442."""
    return "" if value is None else number_format(value, use_l10n=True, force_grouping=True)


def _local(value: dt.datetime) -> dt.datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def day(value: dt.datetime | dt.date | None) -> str:
    """10 November 2026."""
    if value is None:
        return ""
    return format_date(_local(value) if isinstance(value, dt.datetime) else value, "DATE_FORMAT")


def month(value: dt.date) -> str:
    """November 2026."""
    return format_date(value, "F Y")


def clock_time(value: dt.datetime | dt.time | None, exact: str = "") -> str:
    """14:32, or 14:32:07 when it is asked for ("exact")."""
    if value is None:
        return ""
    shown = _local(value) if isinstance(value, dt.datetime) else value
    return shown.strftime("%H:%M:%S" if exact else "%H:%M")


def when(value: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """14:32 today; 10 November 2026, 14:32 on any other day."""
    if value is None:
        return ""
    if _local(value).date() == _local(now or timezone.now()).date():
        return _("%(time)s today") % {"time": clock_time(value)}
    return moment(value)


def moment(value: dt.datetime) -> str:
    """10 November 2026, 14:32: also where it is read on another day."""
    return _("%(day)s, %(time)s") % {"day": day(value), "time": clock_time(value)}


def last_day(value: dt.datetime) -> str:
    """10 November 2026, of a time that ends with that day; 10 November 2026, 14:32, of one that ends within it."""
    return day(value) if clock_time(value) == "23:59" else moment(value)


def zone() -> str:
    """Asia/Karachi, UTC+5: of which all times are that are shown. Where clocks change twice a year the name alone."""
    name, now = timezone.get_current_timezone_name(), timezone.localtime()
    offsets = {now.replace(month=month, day=1).strftime("%z") for month in range(1, 13)}
    if len(offsets) > 1:
        return name
    (offset,) = offsets
    hours, minutes = offset[:3].replace("+0", "+").replace("-0", "-"), offset[3:]
    return f"{name}, UTC{hours}" + (f":{minutes}" if minutes != "00" else "")


def again_after(wait: dt.timedelta) -> str:
    """After when something may be tried again, in whole minutes and never too early."""
    now = timezone.now()
    return when(now + wait + dt.timedelta(seconds=59), now)


def span_words(value: dt.timedelta | None, form: str = "") -> str:
    """7 h 12 min; 3 days 4 h; 54 min; 40 s; with "exact" also 1 min 48 s. A negative span is said without its sign.

    With "in" it is written as it stands before "in" or "by": Urdu changes the ending there (1 گھنٹے میں).
    """
    if value is None:
        return ""
    seconds = int(abs(value).total_seconds())
    days, hours = seconds // 86400, seconds % 86400 // 3600
    minutes, rest = seconds % 3600 // 60, seconds % 60
    parts = [
        (days, ngettext("%(count)s day", "%(count)s days", days)),
        (
            hours,
            npgettext("before in or by", "%(count)s h", "%(count)s h", hours)
            if "in" in form.split()
            else ngettext("%(count)s h", "%(count)s h", hours),
        ),
        (minutes, ngettext("%(count)s min", "%(count)s min", minutes)),
        (rest, ngettext("%(count)s s", "%(count)s s", rest)),
    ]
    first = next((place for place, (count, _words) in enumerate(parts) if count), 3)
    # Seconds count beside minutes only where a time was measured, not where one is waited for.
    last = first + 2 if first < 2 or "exact" in form.split() else first + 1
    return " ".join(words % {"count": count} for count, words in parts[first:last] if count or first == 3)
