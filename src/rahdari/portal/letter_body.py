"""The parts of a letter as parts of a page of ours. The letter is made from our own template, its values escaped."""

from django.utils.safestring import SafeString

_OURS = (
    ("<h1>", '<h2 class="h2">'),
    ("</h1>", "</h2>"),
    ("<dl>", '<dl class="facts">'),
    ("<dt>", "<div><dt>"),
    ("</dd>", "</dd></div>"),
)


def body_of(html: str, part: str = "body") -> SafeString:
    """The inside of a letter: its `body`, or its `header` or `footer`."""
    if part != "body":
        return SafeString(html.partition(f"<{part}>")[2].rpartition(f"</{part}>")[0])
    inside = html.partition("</header>")[2].rpartition("<footer>")[0]
    for ours, theirs in _OURS:
        inside = inside.replace(ours, theirs)
    return SafeString(inside)
