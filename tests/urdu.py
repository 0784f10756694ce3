"""Mechanical checks of Urdu, for catalogues, plain text and rendered pages.

For developers who do not read the language: letters of the right code points, words that are always wrong, marks,
placeholders, figures, values that would be turned round. What
`*_problems` find fails a build; `warnings` are for a person to read.
Text in <code>, <bdi>, `lang="en"`, `dir="ltr"` and an option `dir="auto"` is left out: it is a value or another
language.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

LETTERS = "ءآئؤابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہۂھیے"
MARKS = "،؛؟۔"
SIGNS = "\u064b\u064e\u064f\u0650\u0651\u0670"
# ﷺ stands behind one name, in the name of a holiday.
ALLOWED = frozenset(LETTERS + MARKS + SIGNS + "\ufdfa")
CHECKED_RANGES = (
    (0x0600, 0x06FF),
    (0x0750, 0x077F),
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFF),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
)
LETTER = f"[{LETTERS}{SIGNS}]"
# What stands for a placeholder, a value or another language: neither a letter nor a mark.
OBJECT = "\ufffc"

MISSPELT = [
    *"کیلئے لئے کئے چاہئے دئیے دئے انھیں انھوں ہوگا ہوگی ہونگے کرکے موثر معیاد مسلہ اجراء ابتداء صورتحال".split(),
    "فی صد",
]

# Office Urdu, coinages, and words that mean something else here. Each with what to write.
WRONG_WORDS = {
    "کاغذات": "دستاویزات",
    "مذکورہ": "یہ",
    "درج ذیل": "نیچے",
    "درجِ ذیل": "نیچے",
    "بذریعہ": "سے",
    "ارسال": "بھیجیں",
    "موصول": "ملنا",
    "فراہم": "دیں",
    "مطلع": "بتانا",
    "بعد ازاں": "پھر",
    "داخل کریں": "لکھیں",
    "منتخب": "چنیں",
    "زائد المیعاد": "میعاد ختم",
    "براہِ کرم": "the imperative alone",
    "براہ کرم": "the imperative alone",
    "برائے مہربانی": "the imperative alone",
    "مہربانی": "the imperative alone",
    "جامد": "فکسڈ",
    "متحرک": "بدلنے والا",
    "خادم": "سرور",
    "برقی": "ای میل",
    "شمارندہ": "کمپیوٹر",
    "مستقل ایڈریس": "فکسڈ ایڈریس",
    "بدلتا ایڈریس": "بدلنے والا ایڈریس",
    "آئی پی پتہ": "آئی پی ایڈریس",
    "ایڈریس ثابت": "ایڈریس کا ثبوت دینا",
    "نگران": "سپروائزر",
    "نگرانی": "دیکھ بھال",
    "نکلیں": "لاگ آؤٹ کریں",
    "ہم قدم": "رجسٹر کے مطابق",
    "نمائشی": "ڈیمو",
    "شوکاز": "نوٹس",
    "حلف نامہ": "اقرار نامہ",
    "انجمن": "ایسوسی ایشن",
    "گاہک": "کلائنٹ",
    "افسرہ": "افسر",
    "مخبری": "غلط استعمال کی اطلاع",
    "سائل": "درخواست گزار",
    "مسترد": "نامنظور",
    "عارضی رجسٹریشن": "عبوری رجسٹریشن",
    "آزمائشی": "عبوری",
    "آلہ": "ڈیوائس",
    "شمارہ": "ایڈیشن",
    "تاریخِ رجسٹریشن": "رجسٹریشن کی تاریخ",
    "واجب": "باقی",
    "کردار": "ذمہ داری",
    "یوزر کا نام": "یوزر نیم",
    "ہوسٹ کا نام": "ہوسٹ نیم",
    "شاخ": "برانچ",
    "شاخیں": "برانچیں",
    "عوامی ایڈریس": "پبلک ایڈریس",
    "خدمات": "سروسز",
    "ایڈمنسٹریٹر": "منتظم",
    "پتے پر": "ای میل ایڈریس پر",
    "اس پتے": "اس ای میل ایڈریس",
    "پوچھوائیں": "تصدیق کرائیں",
    "گنا گیا": "شمار ہو گیا",
    "گن لیا گیا": "شمار ہو گیا",
    "گنا جائے گا": "شمار ہو گا",
    "دستک": "کنکشن کھولنا",
    "قدر لکھیں": "جواب لکھیں",
    "تازہ ہے": "اطلاع آ رہی ہے",
    "تازہ کیے": "تبدیلی",
    "طریقہ لیں": "طریقہ چنیں",
    "شائع شرائط": "شائع شدہ شرائط",
    "کچھ نامنظور": "کوئی درخواست نامنظور",
    "صرف اگر": "صرف تب جب",
    "دیکھنا ریکارڈ": "دیکھنے کا ریکارڈ",
    "نے نہیں کہا": "نے انکار کیا",
    "کا جواب نہیں تھا": "نے تصدیق نہیں کی",
    "دوبارہ دکھائیں": "ثبوت دوبارہ دیں",
    "دوبارہ دکھانا": "ثبوت دوبارہ دینا",
    "بلاک": "رینج",
    "پر قائم": "کا دار و مدار … پر ہے",
    "رجسٹریشنز": "رجسٹریشنیں",
    "فالتو": "سپیم",
    "ہمیں لکھیں": "ہم سے رابطہ کریں",
    "اتھارٹی کو لکھیں": "اتھارٹی سے رابطہ کریں",
    "ہم آگے بڑھیں گے": "کام آگے بڑھے گا",
    "حیثیت چنیں": "ذمہ داری چنیں",
    "کے اختیار کا ثبوت": "پر اختیار کا ثبوت",
    "خودبخود": "خود بخود",
    "آرا": "آراء",
    "آپریٹروں": "آپریٹرز",
    "نیٹ ورکوں": "نیٹ ورکس",
    "اراکین": "ارکان",
    "مفاد کا ٹکراؤ": "مفادات کا ٹکراؤ",
    "دوسری رات": "کسی اور رات",
    "دکھائیں کہ": "ثبوت دیں کہ, or ظاہر کریں",
    "مطالبہ": "معلومات کی طلبی",
    "مطالبے": "معلومات کی طلبی",
    "قدروں": "فہرست",
    "اعلان کردہ": "اعلان شدہ",
    "تصدیق شدہ نقل": "مصدقہ نقل",
    "عارضی طور پر منظور": "عبوری طور پر منظور",
}
# What one English verb in every sentence makes wrong: each with what happens instead.
WRONG_SENSE = (
    (
        rf"(?<!{LETTER})رجسٹریشن (?:کو )?واپس ل",
        "the Authority revokes a registration: منسوخ; to withdraw is the holder's",
    ),
    (
        rf"(?<!{LETTER})(?:ایڈریس|اندراج|سرور)(?!{LETTER})(?:(?!کنکشن|لائن)[^۔؟،:؛])* کٹ(?!وت)(?!ھ)",
        "a connection is cut, not an address, an entry or a server",
    ),
    ("«|»", "quotation marks open with U+201D and close with U+201C"),
    (rf"“{LETTER}|{LETTER}”", "quotation marks open with U+201D and close with U+201C"),
    (
        rf"(?<!ڈاک کا )(?<!ڈاک کے )(?<!{LETTER})(?:پتا|پتہ)(?!{LETTER})(?! ?(?:چل|نہیں چل|ہو|ہے کہ))",
        "پتا is a postal address: ای میل ایڈریس, ایڈریس or لنک",
    ),
    ("اُ[نس]", "ان and اس are written without a pesh"),
)
# Grammar that makes the reader, the applicant or the officer a man. After نے، کو، کا and their like the verb agrees
# with something else.
_NOT_OF_THEM = "(?! ?(?:نے|کو|کا|کی|کے|سے|پر|میں|تک|خود|ہی کی|ہی کا)\\b)"
MEN_ONLY = (
    (
        rf"(?<!{LETTER})آپ{_NOT_OF_THEM} [^۔؟،:]*?(?:سکتے|چکے|رہے|کرتے|چاہتے|جانتے|دیتے|رکھتے|لکھتے) (?:ہیں|تھے|ہوں)",
        "the reader is made a man",
    ),
    (rf"(?<!{LETTER})(?:وہ|انہیں|درخواست گزار|ہولڈر)[^۔؟،:]* کام کرتے ہیں", "whoever works is made a man"),
    (
        rf"(?<!{LETTER})(?:ہولڈر|اپیل کنندہ|شکایت (?:کرنے|بھیجنے) والا|درخواست گزار)(?!{LETTER})"
        rf"(?! ?(?:نے|کو|کا|کی|کے|سے|پر|میں|تک|ہی)(?!{LETTER}))"
        f"[^۔؟،:؛]*?(?<!ہو)(?:ے گا|تا ہے|تا تھا|رہا ہے|سکتا ہے|چکا ہے)(?!{LETTER})",
        "the holder, the appellant or the applicant is made a man: کو نظر آئے گا، کا مؤقف",
    ),
    (
        rf"(?<!{LETTER})افسر(?!{LETTER})(?! ?(?:نے|کو|کا|کی|کے|سے|پر|میں|تک)(?!{LETTER}))"
        "[^۔؟،:]*?(?:ے گا|تا ہے|رہا ہے|سکتا ہے)",
        "the officer is made a man: write of the office, as docs/translating.md says",
    ),
)
# Latin words that stand in Urdu text as they are: what a reader types, copies or finds on another screen.
LATIN = frozenset(
    "CUIN NTN CNIC NICOP curl Wget POST "
    "OpenVPN WireGuard IKEv2 IPsec L2TP PPTP OpenConnect SSTP UDP TCP ESP GRE IPv4 IPv6 DNS CSV XML UTF camt PDF JPG "
    "JPEG PNG MB KB API AS HTTP "
    "HTTPS URL TXT "
    "RPKI APNIC inetnum remarks descr comments "
    "English dyndns2 GitHub "
    # Servers and what is typed at them, on the pages that say how an address is proved.
    "TLS ALPN ACME SHA AES EAP AnyConnect ocserv stunnel strongSwan MikroTik SoftEther PPP Server Encryption and "
    "Network Export wg show wg0 peer tls auth crypt acme BEGIN END CERTIFICATE crt cer pem key authorization vpn "
    "sample example "
    # The format of notices of planned work.
    "maintnote BCOP iCalendar ics UTC SEQUENCE "
    # What rules of a network are written in.
    "RPSL nftables Cisco Junos RSS Atom JSON "
    # Routers and programs that report an address, and what their pages say.
    "custom Custom DynDNS Dynamic DDNS TP-Link TP Link ASUS ddclient inadyn "
    # What programs send.
    "OpenAPI Authorization json multipart form data application".split()
)
SINGLE_VALUES = (
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "an IPv4 address"),
    (r"(?i)\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,}", "an IPv6 address"),
    (r"\+92", "a telephone number"),
    (r"\b0\d{3}-", "a telephone number"),
    (r"\b\d{5}-\d{7}-\d\b", "a card number"),
    (r"\b[A-Z]{1,2}-\d", "a reference"),
    (r"\d-\d", "a range or number with a hyphen"),
    (r"\d\(\d\)", "a number of a rule"),
)
PLACE = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}|%[sd](?![a-zA-Z])")
TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b[^>]*>")
ISOLATED = re.compile("[\u2066-\u2068][^\u2066-\u2069]*\u2069")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the rule's name, what is wrong in words, and where."""

    rule: str
    words: str
    where: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.words} in {self.where!r}"


def _whole(word: str) -> re.Pattern[str]:
    return re.compile(f"(?<!{LETTER}){re.escape(word)}(?!{LETTER})")


_MISSPELT = [(word, _whole(word)) for word in MISSPELT]
_WRONG = [(word, _whole(word), instead) for word, instead in WRONG_WORDS.items()]
_PASSKEY = re.compile(f"(?<!کے )(?<!{LETTER})پاس کی(?!{LETTER})")
_MEN_ONLY = [(re.compile(pattern), words) for pattern, words in MEN_ONLY]
_WRONG_SENSE = [(re.compile(pattern), words) for pattern, words in WRONG_SENSE]


def _letters(text: str) -> Iterator[tuple[str, str]]:
    if unicodedata.normalize("NFC", text) != text:
        yield "letters", "is not in NFC"
    for character in dict.fromkeys(text):
        if any(low <= ord(character) <= high for low, high in CHECKED_RANGES) and character not in ALLOWED:
            if character in "۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩":
                yield "digits", f"{character} is not one of 0-9"
            else:
                name = unicodedata.name(character, "unnamed")
                yield "letters", f"U+{ord(character):04X} {name} is no letter of Urdu"
    if re.search("(?<![بپتٹجچدڈرڑکگلمن])ھ", text):
        yield "letters", "ھ stands without a letter that it breathes after"


def _words(text: str) -> Iterator[tuple[str, str]]:
    for word, pattern in _MISSPELT:
        if pattern.search(text):
            yield "spelling", f"{word} is misspelt"
    for word, pattern, instead in _WRONG:
        if pattern.search(text):
            yield "words", f"{word} should be {instead}"
    if _PASSKEY.search(text):
        yield "words", "پاس کی should be پاسکی"
    for pattern, words in _MEN_ONLY:
        if pattern.search(text):
            yield "men only", words
    for pattern, words in _WRONG_SENSE:
        if pattern.search(text):
            yield "sense", words
    if re.search("نہیں بھیجیں[۔ ]*$", text):
        yield "words", "نہیں بھیجیں says that nothing is sent; name the answer: جواب بھیجیں: نہیں"


def _marks(text: str) -> Iterator[tuple[str, str]]:
    for pattern, words in (
        (f'{LETTER}[,;?!"]|[,;?!"]{LETTER}', "a Latin mark beside an Urdu letter"),
        (rf"{LETTER}\.", "a Latin full stop after an Urdu letter"),
        (r"\s[۔،؟]", "a space before a mark"),
        (f"[۔،؟]{LETTER}", "a letter right after a mark"),
        (r"\d ?[%٪]", "a percent sign for فیصد"),
        (f"{LETTER} ?/ ?{LETTER}", "a slash between words"),
    ):
        if re.search(pattern, text):
            yield "marks", words
    if re.search(r"\b\d{1,3} \d{3}\b", text):
        yield "digits", "a space within a figure turns it round"


def _latin(text: str) -> Iterator[tuple[str, str]]:
    for word in dict.fromkeys(re.findall(r"[A-Za-z][A-Za-z0-9]+", text)):
        if word not in LATIN and re.search("[A-Za-z]{2}", word):
            yield "latin", f"{word} stands in Latin letters"


def _order(text: str) -> Iterator[tuple[str, str]]:
    """The bidi algorithm reads words of Latin letters with only marks between them as one run, from left to right."""
    if re.search(r"[A-Za-z][A-Za-z0-9-]*[^\w\s]*،\s*[^\w\s]*[A-Za-z]", text):
        yield "order", "two Latin words with a comma between them change places: یا or اور between them keeps the order"


def _bare(text: str) -> Iterator[tuple[str, str]]:
    for pattern, words in SINGLE_VALUES:
        if re.search(pattern, text):
            yield "bare", f"{words} is not isolated"


def _isolates(text: str) -> Iterator[tuple[str, str]]:
    depth = 0
    for character in text:
        if character in "\u2066\u2067\u2068":
            depth += 1
        elif character == "\u2069":
            depth -= 1
            if depth < 0:
                break
    if depth:
        yield "isolates", "U+2066-2068 and U+2069 do not balance"


def _first_letter(text: str) -> Iterator[tuple[str, str]]:
    outside = ISOLATED.sub("", text)
    first = next((c for c in outside if unicodedata.bidirectional(c) in {"L", "R", "AL"}), None)
    if first is not None and unicodedata.bidirectional(first) != "AL":
        yield "first letter", "plain text begins with a Latin letter"


def _running(text: str) -> Iterator[tuple[str, str]]:
    yield from _letters(text)
    yield from _isolates(text)
    outside = text
    while ISOLATED.search(outside):
        outside = ISOLATED.sub(OBJECT, outside)
    yield from _words(outside)
    yield from _marks(outside)
    yield from _latin(outside)
    yield from _order(outside)
    yield from _bare(outside)


def _told(found: Iterable[tuple[str, str]], where: str) -> list[Problem]:
    return [Problem(rule, words, " ".join(where.split())[:120]) for rule, words in found]


def text_problems(text: str) -> list[Problem]:
    """What is wrong in plain Urdu text: a title, a label, a subject."""
    return _told([*_running(text), *_first_letter(text)], text)


# ---------------------------------------------------------------- pages

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
SILENT = frozenset("script style pre textarea template".split())
VALUE = frozenset("code bdi kbd samp bdo".split())
# A <span> with a class of its own is laid out as a block, or apart from its neighbours, unless it is one of these.
WITHIN = frozenset("vh num mono".split())
INLINE = frozenset("a abbr b bdi code del em i ins kbd label mark s samp small span strong sub sup time u q".split())
SPOKEN = ("alt", "aria-label", "placeholder", "data-l", "data-done", "title")


class _Page(HTMLParser):
    """Splits a page into runs of Urdu text, one for each block, and its spoken attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []
        self.runs: list[str] = [""]
        self.plain: list[str] = []
        self.html: dict[str, str | None] | None = None

    @property
    def counts(self) -> bool:
        return not self.open or self.open[-1][1]

    def _break(self) -> None:
        if self.runs[-1]:
            self.runs.append("")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.html = given
        apart = tag == "span" and bool(set((given.get("class") or "").split()) - WITHIN)
        if tag not in INLINE or apart:
            self._break()
        counted = self.counts
        if "lang" in given:
            counted = given["lang"] == "ur"
        # Somebody's own words or name, whose letters say where they begin.
        own = given.get("dir") == "auto"
        if tag in SILENT or tag in VALUE or own or (given.get("dir") == "ltr" and tag != "html"):
            if counted:
                self.runs[-1] += OBJECT
            counted = False
        if counted:
            self.plain += [value for name in SPOKEN if (value := given.get(name))]
        if tag not in VOID:
            self.open.append((tag, counted))

    def handle_endtag(self, tag: str) -> None:
        # Elements whose end tag may be left out are closed with the one around them.
        while self.open and any(name == tag for name, _counted in self.open):
            name, _counted = self.open.pop()
            if name == tag:
                break
        if tag not in INLINE:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self.counts:
            return
        if self.open and self.open[-1][0] == "title":
            self.plain.append(data)
        self.runs[-1] += data


def _parsed(markup: str) -> _Page:
    page = _Page()
    page.feed(markup)
    page.close()
    return page


def page_problems(markup: str) -> list[Problem]:
    """What is wrong on a rendered page (or letter) in Urdu."""
    page = _parsed(markup)
    found: list[Problem] = []
    if page.html is None or page.html.get("lang") != "ur" or page.html.get("dir") != "rtl":
        found.append(Problem("page", 'the page is not lang="ur" dir="rtl"', markup.strip()[:60]))
    for run in page.runs:
        found += _told(_running(" ".join(run.split())), run)
    for text in page.plain:
        found += text_problems(" ".join(text.split()))
    return list(dict.fromkeys(found))


# ---------------------------------------------------------------- pairs of a catalogue


def _places(text: str) -> Counter[str]:
    return Counter(match.group(0) for match in PLACE.finditer(text))


def _tags(text: str) -> Counter[str]:
    # A translator may isolate a value that stands bare in English.
    return Counter(f"{slash}{tag}" for slash, tag in TAG.findall(text) if tag != "bdi")


def _visible(text: str) -> str:
    return TAG.sub("", text).strip()


ENDS = ((".", "۔"), ("?", "؟"), (":", ":"))


def pair_problems(english: str, urdu: str, *, count_may_go: str = "") -> list[Problem]:
    """What is wrong with one sentence and its translation.

    `count_may_go` names the placeholder that this form may leave out (the count, in the form for one).
    """
    if not urdu.strip():
        return [Problem("empty", "no translation", english[:120])]
    found: list[tuple[str, str]] = []
    if urdu == english and re.search("[A-Za-z]{2}", PLACE.sub("", _visible(english))):
        found.append(("unchanged", "the translation is the English"))
    wanted, given = _places(english), _places(urdu)
    if wanted != given and wanted - Counter({count_may_go: 1}) != given:
        changed = [*(wanted - given), *(given - wanted)]
        found.append(("placeholders", f"{', '.join(changed)} differ"))
    if _tags(english) != _tags(urdu):
        changed = [*(_tags(english) - _tags(urdu)), *(_tags(urdu) - _tags(english))]
        found.append(("tags", f"{', '.join(changed)} differ"))
    first, second = _visible(english), _visible(urdu)
    for latin, mark in ENDS:
        if first.endswith(latin) != second.endswith(mark):
            found.append(("last mark", f"{latin} ends the one and {mark} not the other, or the other way round"))
    figures = Counter(re.findall(r"\d+", PLACE.sub(" ", first)))
    lost = figures - Counter(re.findall(r"\d+", PLACE.sub(" ", second)))
    if lost:
        found.append(("digits", f"{', '.join(lost)} is lost"))
    page = _parsed(PLACE.sub(OBJECT, urdu))
    for run in page.runs:
        found += _running(run.strip())
    for text in page.plain:
        found += _running(text)
    return _told(dict.fromkeys(found), urdu)


# ---------------------------------------------------------------- what a person reads

# Terms whose Urdu has one stem; a translation without it may still be right.
STEMS = {
    "application": "درخواست",
    "registration": "رجسٹریشن",
    "certificate": "سرٹیفکیٹ",
    "operator": "آپریٹر",
    "officer": "افسر",
    "supervisor": "سپروائزر",
    "decision": "فیصل",
    "refus": "نامنظور",
    "appeal": "اپیل",
    "reason": "وج",
    "proof": "ثبوت",
    "prove": "ثبوت",
    "authority": "اتھارٹی",
    "question": "سوال",
    "answer": "جواب",
    "letter": "خط|حرف",
    "router": "راؤٹر",
    "expire": "میعاد",
}


def warnings(english: str, urdu: str) -> list[Problem]:
    """What may be wrong: gender of reader or staff, length, terms, words that are right in some places only."""
    found: list[tuple[str, str]] = []
    text = PLACE.sub(OBJECT, _visible(urdu))
    for rule, pattern, words in (
        ("gender", r"[تگ]ا ?/ ?[تگ]ی", "both genders with a slash"),
        ("gender", r"آپ (?!کا|کی|کے|کو|نے|سے)[^۔؟]*(تے|سکتے|چکے|رہے) ہیں", "the reader is male"),
        ("gender", r"افسر [^۔]*رہا ہے", "the officer is male"),
        ("terms", r"(?<!\S)کل \d", "کل is yesterday, tomorrow and total"),
        ("terms", "منسوخ کریں", "revoke; for cancel write رہنے دیں"),
        ("terms", "ایڈریسز|آپریٹروں", "a plural that nobody says"),
    ):
        if re.search(pattern, text):
            found.append((rule, words))
    bare = PLACE.sub("", _visible(english))
    if len(bare) >= 12 and not 0.45 <= len(text.replace(OBJECT, "")) / len(bare) <= 1.9:
        found.append(("length", f"{len(bare)} characters became {len(text)}"))
    for term, stem in STEMS.items():
        if re.search(rf"\b{term}", bare, re.IGNORECASE) and not re.search(stem, text):
            found.append(("terms", f"{term} without {stem}"))
    return _told(found, urdu)
