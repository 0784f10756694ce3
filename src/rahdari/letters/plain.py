"""The plain text of a letter, made from its page, so that both have the same words.

A letter is written once for each language, in a small part of HTML: h1, p, dl with dt and dd, ul with li, br, a
blockquote with p for the words of somebody else, and a link alone in its paragraph. Values are escaped before they come
here, so nothing that a person wrote is taken for markup. In Urdu a `<bdi dir="ltr">` becomes U+2066 ... U+2069 and a
`<bdi>` U+2068 ... U+2069: without them the bidi algorithm shows references and names in the wrong order.
"""

import re
import textwrap
from html.parser import HTMLParser

WIDTH = 72
LEFT_TO_RIGHT, FIRST_STRONG, END = "\u2066", "\u2068", "\u2069"


class LetterParser(HTMLParser):
    def __init__(self, *, isolates: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.isolates = isolates
        self.subject = ""
        self.blocks: list[tuple[str, str]] = []
        self.text = ""
        self.link = ""
        self.in_title = False
        self.in_header = False
        self.in_quote = False

    def end_block(self, kind: str) -> None:
        lines = [" ".join(line.split(" ")).strip() for line in self.text.split("\n")]
        text = "\n".join(lines).strip()
        if text:
            self.blocks.append((kind, text))
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in {"h1", "p", "dt", "li", "footer"}:
            self.end_block("p")
        elif tag == "blockquote":
            self.in_quote = True
        elif tag == "title":
            self.in_title = True
        elif tag == "header":
            self.in_header = True
        elif tag == "dd":
            self.text = self.text.rstrip() + ": "
        elif tag == "br":
            self.text += "\n"
        elif tag == "a":
            self.link = values.get("href") or ""
        elif tag == "bdi" and self.isolates:
            self.text += LEFT_TO_RIGHT if values.get("dir") == "ltr" else FIRST_STRONG

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self.in_title = False
        elif tag == "header":
            self.in_header = False  # Who writes stands in the footer; the plain text begins with what is said.
        elif tag == "bdi" and self.isolates:
            self.text += END
        elif tag == "a":
            # The address stands alone on its line and without isolates: it is meant to be copied.
            self.text = self.text.rstrip() + ":\n" + self.link
        elif tag in {"h1", "p", "footer"}:
            self.end_block("quote" if self.in_quote else tag)
        elif tag == "blockquote":
            self.in_quote = False
        elif tag == "dd":
            self.end_block("fact")
        elif tag == "li":
            self.end_block("item")

    def handle_data(self, data: str) -> None:
        flat = re.sub(r"[ \t\r\n]+", " ", data)
        if self.in_title:
            self.subject += flat
        elif not self.in_header:
            self.text += flat if self.text and not self.text.endswith(("\n", " ")) else flat.lstrip(" ")


def subject_and_text(html: str, *, language: str) -> tuple[str, str]:
    """The subject line (the page's title) and the plain text of a letter."""
    parser = LetterParser(isolates=language == "ur")
    parser.feed(html)
    parser.close()
    parts: list[str] = []
    before = ""
    for kind, block in parser.blocks:
        if kind == "footer":
            parts.append("\n-- \n" + block)
        else:
            glued = kind in {"fact", "item"} and before == kind
            parts.append(("" if glued or not parts else "\n") + _laid_out(kind, block, language))
        before = kind
    return " ".join(parser.subject.split()), "\n".join(parts) + "\n"


def _laid_out(kind: str, block: str, language: str) -> str:
    if kind == "item":
        block = f"* {block}" if language != "ur" else f"• {block}"
    if kind == "quote":
        lines = (line if language == "ur" else textwrap.fill(line, WIDTH - 2) for line in block.split("\n"))
        return textwrap.indent("\n".join(lines), "> ", lambda _line: True)
    if language == "ur":
        return block  # Mail programs wrap Urdu by themselves; a hard break would fall on the wrong side.
    rest = "  " if kind in {"fact", "item"} else ""
    return "\n".join(
        line
        if line.startswith(("http://", "https://"))
        else textwrap.fill(line, WIDTH, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
        for line in block.split("\n")
    )
