"""The checks of Urdu bite: one planted fault for each rule, beside the same sentence without it."""

import pytest

from tests import urdu


def rules_of(problems: list[urdu.Problem]) -> set[str]:
    return {problem.rule for problem in problems}


# English, right Urdu, wrong Urdu, the rule that must find it.
PLANTED = [
    ("Your application", "آپ کی درخواست", "آپ كی درخواست", "letters"),  # an Arabic kaf
    ("Your application", "آپ کی درخواست", "آپ کي درخواست", "letters"),  # an Arabic yeh
    ("Continue", "آگے بڑھیں", "آگے بڑھ\u200cیں", "letters"),  # a zero-width non-joiner
    ("We are the Authority", "ہم اتھارٹی ہیں", "ھم اتھارٹی ہیں", "letters"),  # a breathing heh at the start
    ("For you", "آپ کے لیے", "آپ کے لئے", "spelling"),
    ("It takes effect", "یہ مؤثر ہے", "یہ موثر ہے", "spelling"),
    ("Fixed address", "فکسڈ ایڈریس", "مستقل ایڈریس", "words"),
    ("Send it", "اسے بھیجیں", "اسے ارسال کریں", "words"),
    ("Alpha, beta", "الف، ب", "الف, ب", "marks"),
    ("Alpha, beta", "الف، ب", "الف ، ب", "marks"),
    ("It is here.", "یہ یہاں ہے۔", "یہ یہاں ہے.", "marks"),
    ("Half, 24 percent", "آدھا، 24 فیصد", "آدھا، 24 %", "marks"),
    ("Fee or fine", "فیس یا جرمانہ", "فیس/جرمانہ", "marks"),
    ("It is here.", "یہ یہاں ہے۔", "یہ یہاں ہے", "last mark"),
    ("Is it here", "کیا یہ یہاں ہے", "کیا یہ یہاں ہے؟", "last mark"),
    ("Reason: the address", "وجہ: ایڈریس", "وجہ: ایڈریس:", "last mark"),
    ("%(done)s of %(total)s", "%(total)s میں سے %(done)s", "%(total)s میں سے سب", "placeholders"),
    ("See <a>the page</a>", "<a>صفحہ</a> دیکھیں", "صفحہ دیکھیں", "tags"),
    ("7 days", "7 دن", "سات دن", "digits"),
    ("7 days", "7 دن", "۷ دن", "digits"),
    ("18,442 entries", "18,442 اندراج", "18 442 اندراج", "digits"),
    ("Use your browser", "اپنا براؤزر لیں", "اپنا Browser لیں", "latin"),
    ("PDF, JPG or PNG", "PDF یا JPG یا PNG", "PDF، JPG یا PNG", "order"),
    ("Reference", "حوالہ", "حوالہ Q-77", "bare"),
    ("Address", "ایڈریس", "ایڈریس 203.0.113.24", "bare"),
    ("Address", "ایڈریس", "ایڈریس 2001:db8::1", "bare"),
    ("Call", "کال", "کال 0300-1234567", "bare"),
    ("Rule", "قاعدہ", "قاعدہ 7(2)", "bare"),
    ("Reference", "حوالہ", "حوالہ \u2066Q", "isolates"),
    ("Continue", "آگے بڑھیں", "", "empty"),
    ("Continue", "آگے بڑھیں", "Continue", "unchanged"),
    ("Make a passkey", "پاسکی بنائیں", "پاس کی بنائیں", "words"),
    ("Send no", "جواب بھیجیں: نہیں", "جواب نہیں بھیجیں", "words"),
    ("You said no", "آپ کا جواب: نہیں", "آپ نے نہیں کہا", "words"),
    ("You can go on.", "درخواست جاری رہ سکتی ہے۔", "آپ آگے بڑھ سکتے ہیں۔", "men only"),
    (
        "Does the applicant work here?",
        "کیا درخواست گزار کا کام یہاں ہے؟",
        "کیا درخواست گزار یہاں کام کرتے ہیں؟",
        "men only",
    ),
    ("An officer decides.", "فیصلہ افسر کے پاس ہے۔", "افسر فیصلہ کرے گا۔", "men only"),
    ("The holder reads it.", "یہ رجسٹریشن ہولڈر کو نظر آئے گا۔", "رجسٹریشن ہولڈر اسے پڑھے گا۔", "men only"),
    ("What the appellant says", "اپیل کنندہ کا مؤقف", "اپیل کنندہ کیا کہتا ہے", "men only"),
    ("Revoke it", "رجسٹریشن منسوخ کریں", "رجسٹریشن واپس لیں", "sense"),
    ("Choose what is cut", "وہ ایڈریس چنیں جس کا کنکشن کٹ گیا ہے", "وہ ایڈریس چنیں جو کٹ گیا ہے", "sense"),
    ("Entries that are cut", "وہ اندراج جن کا کنکشن کٹا", "اندراج کٹ جائیں گے", "sense"),
    ("Named “Programs”", "نام ”پروگرام“", "نام “پروگرام”", "sense"),
    ("Named “Programs”", "نام ”پروگرام“", "نام «پروگرام»", "sense"),
    ("No address of yours", "آپ کا ای میل ایڈریس نہیں", "آپ کا کوئی پتہ نہیں", "sense"),
    ("The words to them", "الفاظ ان کے ساتھ", "الفاظ اُن کے ساتھ", "sense"),
    ("Show whose it is", "ثبوت دیں کہ نمبر کس کا ہے", "دکھائیں کہ نمبر کس کا ہے", "words"),
    ("Ask for another night", "کسی اور رات کی درخواست", "دوسری رات مانگیں", "words"),
]


class TestPair:
    @pytest.mark.parametrize(("english", "right", "wrong", "rule"), PLANTED)
    def test_tells_the_wrong_one_from_the_right_one(self, english: str, right: str, wrong: str, rule: str) -> None:
        assert urdu.pair_problems(english, right) == []
        assert rule in rules_of(urdu.pair_problems(english, wrong))

    def test_lets_the_form_for_one_drop_its_count_and_nothing_else(self) -> None:
        english, without = "%(count)s answer from %(name)s", "%(name)s کا جواب"
        assert rules_of(urdu.pair_problems(english, without)) == {"placeholders"}
        assert urdu.pair_problems(english, without, count_may_go="%(count)s") == []
        assert urdu.pair_problems(english, "ایک جواب", count_may_go="%(count)s") != []

    def test_leaves_values_and_other_languages_out(self) -> None:
        english = "You are on <code>203.0.113.24</code> now"
        assert urdu.pair_problems(english, "اب آپ <code>203.0.113.24</code> پر ہیں") == []


class TestGrammar:
    @pytest.mark.parametrize(
        "text",
        [
            "آپ نے درخواست بھیجی ہے۔",
            "آپ کے پاس کیا ہے؟",
            "یہ آپ کے آپریٹر کے پاس ہے۔",
            "رجسٹر کے افسروں کو یہ نظر آتا ہے۔",
        ],
    )
    def test_that_agrees_with_something_else_is_nobodys(self, text: str) -> None:
        assert urdu.text_problems(text) == []


class TestText:
    def test_begins_with_an_urdu_word(self) -> None:
        assert urdu.text_problems("مؤثر: \u2066RD-4F7K-92MQ\u2069") == []
        assert urdu.text_problems("\u2066RD-4F7K-92MQ\u2069 مؤثر") == []
        assert rules_of(urdu.text_problems("CSV فائل")) == {"first letter"}


def page(body: str, *, title: str = "راہداری", lang: str = "ur", direction: str = "rtl") -> str:
    return f'<!doctype html><html lang="{lang}" dir="{direction}"><title>{title}</title><body>{body}</body></html>'


class TestPage:
    def test_of_values_in_their_elements_is_clean(self) -> None:
        body = (
            '<p>آپ <code>203.0.113.24</code> پر ہیں، <bdi dir="ltr">14:31</bdi> بجے سے۔</p>'
            '<a lang="en" dir="ltr">English</a><p><bdi>Sample Software House (Pvt) Ltd</bdi> کا حوالہ</p>'
            '<ul><li><a>درخواست<span class="vh">، مکمل</span></a><span class="hint">2 میں سے 1</span></li></ul>'
        )
        assert urdu.page_problems(page(body)) == []

    @pytest.mark.parametrize(
        ("markup", "rule"),
        [
            (page("<p>راہداری</p>", direction="ltr"), "page"),
            (page("<p>راہداری</p>", lang="en"), "page"),
            (page("<p>This field is required.</p>"), "latin"),
            (page("<p>حوالہ A-2611</p>"), "bare"),
            (page('<p dir="ltr">203.0.113.24</p><p>203.0.113.24</p>'), "bare"),
            (page("<p>راہداری</p>", title="Application"), "latin"),
            (page("<p>راہداری</p>", title="A-2611 درخواست"), "bare"),
            (page('<svg aria-label="QR code"></svg>'), "latin"),
            (page('<td data-l="Now">اب</td>'), "latin"),
            (page("<p>یہ ہفتہ ھے</p>"), "letters"),
            (page("<p>یہ ہے.</p>"), "marks"),
        ],
    )
    def test_with_a_fault_is_told(self, markup: str, rule: str) -> None:
        assert rule in rules_of(urdu.page_problems(markup))

    def test_takes_apart_what_stands_in_two_blocks(self) -> None:
        assert urdu.page_problems(page("<p>یہ۔</p><p>وہ۔</p>")) == []
        assert rules_of(urdu.page_problems(page("<p>یہ۔وہ۔</p>"))) == {"marks"}


class TestWarnings:
    @pytest.mark.parametrize(
        ("english", "text", "rule"),
        [
            ("You can do it.", "آپ یہ کر سکتے ہیں۔", "gender"),
            ("An officer looks at it.", "افسر اسے دیکھ رہا ہے۔", "gender"),
            ("In all 3 addresses", "کل 3 ایڈریس", "terms"),
            ("The decision comes today.", "آج جواب آئے گا۔", "terms"),
            ("It is a long sentence in English.", "ہاں۔", "length"),
        ],
    )
    def test_name_what_a_person_should_read(self, english: str, text: str, rule: str) -> None:
        assert rule in rules_of(urdu.warnings(english, text))
        assert rule not in rules_of(urdu.pair_problems(english, text))
