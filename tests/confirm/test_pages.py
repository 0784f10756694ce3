"""The desk as an operator uses it: one by one, by file, keys and callback; in both languages."""

import csv
import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.confirm import bulk, queries, tokens
from rahdari.confirm.models import AnswerFile, ApiToken, Channel, SubscriberAnswer, SubscriberQuestion
from rahdari.confirm.rules import AnswerTrouble
from rahdari.people import actions as people
from tests.builders import story
from tests.builders.subscribers import OPERATOR, OTHER, a_desk, a_question

pytestmark = pytest.mark.django_db
CHECKS = "/operator/checks/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(a_desk())
    return client


def said(question: SubscriberQuestion) -> str:
    question.refresh_from_db()
    return f"{question.answer} {question.reason}".strip()


class TestList:
    def test_shows_open_checks_least_time_left_first_and_no_other_operators(self, desk: Client) -> None:
        first, second, theirs = a_question(), a_question(), a_question(OTHER)
        page = desk.get(CHECKS).text
        assert "2 checks to answer" in page
        assert page.index(first.number) < page.index(second.number)
        assert theirs.number not in page and theirs.subscriber not in page
        assert "S****e F********r 14" in page and "Sample Freelancer" not in page

    def test_says_so_when_every_check_is_answered(self, desk: Client) -> None:
        page = desk.get(CHECKS).text
        assert "Every check is answered" in page and "Nothing waits for you" in page

    def test_speaks_urdu(self, client: Client) -> None:
        user = a_desk()
        people.set_language(user=user, language="ur")
        client.force_login(user)
        a_question()
        page = client.get(CHECKS).text
        assert 'dir="rtl"' in page and "کیا یہ آپ کا صارف ہے" in page


class TestOwn:
    """Nobody answers for the operator about their own application, or of whom they acted for."""

    def test_is_answered_by_somebody_else(self, client: Client) -> None:
        user = a_desk()
        client.force_login(user)
        own, other = a_question(subject=story.a_draft(user).subject), a_question()
        refused = client.post(f"{CHECKS}{own.number}/", {"answer": "yes"})
        assert refused.status_code == 422 and "Somebody else at the operator must answer it" in refused.text
        rows = f"check,answer,reason\n{own.number},yes,\n{other.number},yes,\n".encode()
        for sender, taken in ((user, ["", "yes"]), (a_desk(), ["yes", "yes"])):
            client.force_login(sender)
            kept = client.post(f"{CHECKS}files/", {"answers": SimpleUploadedFile("answers.csv", rows)})
            client.post(kept["Location"], {"send": "1"})
            assert [said(own), said(other)] == taken


class TestAnswer:
    def test_yes_is_one_press_and_leads_to_the_next_check(self, desk: Client) -> None:
        first, second = a_question(), a_question()
        answer = desk.post(f"{CHECKS}{first.number}/", {"answer": "yes", "view": "open"})
        assert answer.headers["Location"] == f"{CHECKS}?next={second.number}#{second.number}"
        assert said(first) == "yes"
        assert SubscriberAnswer.objects.get().channel == Channel.PAGE

    def test_no_needs_a_reason_and_says_so_beside_the_row(self, desk: Client) -> None:
        question = a_question()
        answer = desk.post(f"{CHECKS}{question.number}/", {"answer": "no"})
        assert answer.status_code == 422
        assert "If the answer is no, give a reason." in answer.text
        desk.post(f"{CHECKS}{question.number}/", {"answer": "no", "reason": "line_closed"})
        assert said(question) == "no line_closed"

    def test_may_be_corrected_from_the_answers_of_today(self, desk: Client) -> None:
        question = a_question()
        desk.post(f"{CHECKS}{question.number}/", {"answer": "unknown"})
        assert question.number in desk.get(f"{CHECKS}?view=answered").text
        desk.post(f"{CHECKS}{question.number}/", {"answer": "yes", "view": "answered"})
        assert said(question) == "yes"
        assert question.number in desk.get(f"{CHECKS}?view=changed").text

    def test_of_another_operators_check_is_not_found(self, desk: Client) -> None:
        theirs = a_question(OTHER)
        assert desk.post(f"{CHECKS}{theirs.number}/", {"answer": "yes"}).status_code == 404
        assert said(theirs) == ""


def send(desk: Client, text: str | bytes) -> str:
    """Upload a file and give the address of its page."""
    content = text.encode() if isinstance(text, str) else text
    answer = desk.post(f"{CHECKS}files/", {"answers": SimpleUploadedFile("answers.csv", content)})
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


class TestFile:
    def test_of_open_checks_can_be_filled_in_and_sent_back(self, desk: Client) -> None:
        questions = [a_question() for _ in range(3)]
        answer = desk.get(f"{CHECKS}open.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert [row["check"] for row in rows] == [question.number for question in questions]
        assert rows[0]["subscriber"] == questions[0].subscriber
        rows[0]["answer"], rows[1]["answer"], rows[1]["reason"] = "yes", "no", "3"
        filled = io.StringIO()
        writer = csv.DictWriter(filled, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        place = send(desk, filled.getvalue())
        page = desk.get(place).text
        assert "2 rows can be sent" in page and "1 row has no answer and stays open." in page
        assert [said(question) for question in questions] == ["", "", ""]
        desk.post(place)
        desk.post(place)
        assert [said(question) for question in questions] == ["yes", "no unknown_subscriber", ""]
        assert SubscriberAnswer.objects.count() == 2

    def test_says_by_row_what_is_wrong_and_gives_these_rows_back(self, desk: Client) -> None:
        good, bad, theirs = a_question(), a_question(), a_question(OTHER)
        place = send(desk, f"check,answer,reason\n{good.number},yes,\n{bad.number},no,\n{theirs.number},yes,\n")
        page = desk.get(place).text
        assert "1 row can be sent" in page and "2 rows need a correction." in page
        assert "If the answer is no, give a reason." in page and "There is no check with this number" in page
        back = desk.get(f"{place}to-correct.csv").text
        assert bad.number in back and theirs.number in back and good.number not in back
        assert "If the answer is no, give a reason." in back
        desk.post(place)
        assert (said(good), said(bad), said(theirs)) == ("yes", "", "")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"", "The file has no rows."),
            (b"\x89PNG\x00\x01", "This is not a CSV file."),
            (b"a,b\n1,2\n", "The first row must name the columns: check and answer."),
            (b"check,answer\n" + b"Q-AAAA-AAAA,yes\n" * 5001, "The file has more than 5,000 rows."),
            (b"check,answer\n" + b"x" * 1_000_001, "The file is too large."),
        ],
    )
    def test_that_cannot_be_read_says_how_to_mend_it(self, desk: Client, content: bytes, sentence: str) -> None:
        answer = desk.post(f"{CHECKS}files/", {"answers": SimpleUploadedFile("a.csv", content)})
        assert answer.status_code == 422 and sentence in answer.text

    def test_that_was_not_chosen_is_asked_for(self, desk: Client) -> None:
        assert "Choose the file with your answers" in desk.post(f"{CHECKS}files/").text

    def test_is_seen_by_its_operator_only_and_deleted_after_a_week(self, desk: Client, client: Client) -> None:
        place = send(desk, f"check,answer\n{a_question().number},yes\n")
        other = Client()
        other.force_login(a_desk(OTHER))
        for path in (place, f"{place}to-correct.csv"):
            assert other.get(path).status_code == 404
        assert other.post(place).status_code == 404
        [file] = AnswerFile.objects.all()
        assert bulk.delete_old_files(now=file.uploaded_at) == 0
        assert bulk.delete_old_files(now=timezone.now() + dt.timedelta(days=8)) == 1


class TestSystem:
    def test_shows_a_key_once(self, desk: Client) -> None:
        page = desk.post(f"{CHECKS}system/keys/", {"name": "Sample system"}).text
        [token] = ApiToken.objects.all()
        assert "We show it only once" in page and "rahdari_op_" in page
        again = desk.get(f"{CHECKS}system/").text
        assert "Sample system" in again and "rahdari_op_" not in again
        desk.post(reverse("confirm:revoke_token", args=[token.pk]))
        assert "You have no key yet." in desk.get(f"{CHECKS}system/").text

    def test_asks_what_a_key_is_for_and_gives_ten_at_most(self, desk: Client) -> None:
        assert "Enter what the key is for" in desk.post(f"{CHECKS}system/keys/", {}).text
        for _ in range(10):
            desk.post(f"{CHECKS}system/keys/", {"name": "Sample", "sandbox": "1"})
        assert "You have 10 keys" in desk.post(f"{CHECKS}system/keys/", {"name": "Sample"}).text

    def test_ends_no_key_of_another_operator(self, desk: Client) -> None:
        token, _text = tokens.make_token(operator=OTHER, name="Sample", sandbox=False, by="x", now=timezone.now())
        assert desk.post(reverse("confirm:revoke_token", args=[token.pk])).status_code == 404

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("", "Enter the address of your system"),
            ("http://answers.operator.example/hook", "Enter an address that begins with https://"),
            ("https://answers.operator.example:22/", "Use the usual port, or 8443."),
            ("https://10.0.0.1/hook", "This address is not on the public internet."),
            ("hello", "This is not an address that we can call."),
        ],
    )
    def test_says_which_callback_it_cannot_call(self, desk: Client, url: str, sentence: str) -> None:
        answer = desk.post(f"{CHECKS}system/callback/", {"url": url})
        assert answer.status_code == 422 and sentence in answer.text
        assert queries.callback_of(operator=OPERATOR) is None

    def test_takes_a_callback_tries_it_and_ends_it(self, desk: Client) -> None:
        page = desk.post(f"{CHECKS}system/callback/", {"url": "https://answers.operator.example/hook"}).text
        assert "whsec_" in page
        desk.post(f"{CHECKS}system/callback/", {"test": "1"})
        assert "Being sent" in desk.get(f"{CHECKS}system/").text
        desk.post(f"{CHECKS}system/callback/", {"end": "1"})
        assert queries.callback_of(operator=OPERATOR) is None


class TestWords:
    def test_say_how_to_mend_every_trouble_in_urdu_too(self) -> None:
        from django.utils import translation

        from rahdari.confirm import words

        with translation.override("ur"):
            for trouble in AnswerTrouble:
                assert not words.trouble(trouble).isascii()
