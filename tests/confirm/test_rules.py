"""Answers, masks and files of answers: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.confirm import rules
from rahdari.confirm.rules import AnswerTrouble, Asked, FileTrouble, Given, OperatorAnswer, QuestionKind


class TestReadAnswer:
    def test_takes_yes_no_and_unknown_however_they_are_written(self) -> None:
        assert rules.read_answer(QuestionKind.SUBSCRIBER, word=" Yes ") == Given(OperatorAnswer.YES)
        assert rules.read_answer(QuestionKind.SUBSCRIBER, word="UNKNOWN") == Given(OperatorAnswer.UNKNOWN)
        assert rules.read_answer(QuestionKind.SUBSCRIBER, word="no", reason="4") == Given(
            OperatorAnswer.NO, "line_closed"
        )

    @pytest.mark.parametrize("kind", list(QuestionKind))
    def test_knows_each_reason_by_its_number_and_by_its_word(self, kind: QuestionKind) -> None:
        for place, word in enumerate(rules.REASONS[kind], start=1):
            for written in (str(place), word, f" {word.upper()} "):
                assert rules.read_answer(kind, word="no", reason=written) == Given(OperatorAnswer.NO, word)

    @pytest.mark.parametrize(
        ("kind", "facts", "trouble"),
        [
            (QuestionKind.SUBSCRIBER, {"word": "maybe"}, AnswerTrouble.UNKNOWN_ANSWER),
            (QuestionKind.SUBSCRIBER, {"word": ""}, AnswerTrouble.UNKNOWN_ANSWER),
            (QuestionKind.SUBSCRIBER, {"word": "no"}, AnswerTrouble.NO_REASON),
            (QuestionKind.SUBSCRIBER, {"word": "no", "reason": "5"}, AnswerTrouble.UNKNOWN_REASON),
            (QuestionKind.SUBSCRIBER, {"word": "yes", "reason": "1"}, AnswerTrouble.REASON_WITHOUT_NO),
        ],
    )
    def test_says_why_it_cannot_take_an_answer(
        self, kind: QuestionKind, facts: dict[str, str], trouble: AnswerTrouble
    ) -> None:
        assert rules.read_answer(kind, **facts) is trouble


class TestMasks:
    def test_leave_the_first_and_last_letter(self) -> None:
        assert rules.mask_name("Sample Freelancer 14") == "S****e F********r 14"
        assert rules.mask_name("Al  B") == "A* B"

    @given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Lo"]), min_size=3, max_size=30))
    def test_hide_every_letter_between_them(self, word: str) -> None:
        masked = rules.mask_word(word)
        assert len(masked) == len(word)
        assert masked[1:-1] == "*" * (len(word) - 2)


CELLS = st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)


class TestReadFile:
    @pytest.mark.parametrize(
        ("content", "trouble"),
        [
            (b"", FileTrouble.EMPTY),
            (b"check,answer\r\n", FileTrouble.EMPTY),
            (b"\x89PNG\r\n\x1a\n\x00\x00", FileTrouble.NOT_TEXT),
            (b"a,b\r\n1,2\r\n", FileTrouble.NO_COLUMNS),
            (b"check,answer\r\n" + b"Q,yes\r\n" * 5001, FileTrouble.TOO_MANY_ROWS),
            (b"check,answer\r\n" + b"x" * 1_000_001, FileTrouble.TOO_LARGE),
        ],
    )
    def test_says_why_it_cannot_read_one(self, content: bytes, trouble: FileTrouble) -> None:
        assert rules.read_file(content) is trouble

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("separator", [",", ";"])
    def test_reads_what_spreadsheets_write(self, encoding: str, separator: str) -> None:
        text = "Check;Answer;Reason\r\nQ-AAAA-AAAA;no;1\r\n;;\r\nQ-BBBB-BBBB;yes;\r\n".replace(";", separator)
        rows = rules.read_file(text.encode(encoding))
        assert not isinstance(rows, FileTrouble)
        assert [(row.line, row.cell("check"), row.cell("answer")) for row in rows] == [
            (2, "Q-AAAA-AAAA", "no"),
            (4, "Q-BBBB-BBBB", "yes"),
        ]

    @given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
    def test_reads_back_what_it_writes(self, cells: list[tuple[str, str]]) -> None:
        rows = rules.read_file(rules.write_table(("check", "answer"), cells).encode())
        kept = [pair for pair in cells if any(cell.strip() for cell in pair)]
        if not kept:
            assert rows is FileTrouble.EMPTY
            return
        assert not isinstance(rows, FileTrouble)
        assert [row.cell("check").lstrip("'") for row in rows] == [pair[0].strip().lstrip("'") for pair in kept]

    @given(st.binary(max_size=300))
    def test_never_breaks(self, content: bytes) -> None:
        rules.read_file(content)


class TestWriteRows:
    @given(st.lists(CELLS, min_size=1, max_size=5))
    def test_writes_no_formula(self, cells: list[str]) -> None:
        line = rules.write_table(["a"], [cells]).split("\r\n", 1)[1]
        assert not line.lstrip('"').startswith(("=", "+", "-", "@"))


class TestJudge:
    ASKED = {
        "Q-AAAA-AAAA": Asked(QuestionKind.SUBSCRIBER),
        "Q-BBBB-BBBB": Asked(QuestionKind.SUBSCRIBER, closed=True),
        "Q-CCCC-CCCC": Asked(QuestionKind.SUBSCRIBER),
    }

    def judged(self, *lines: str) -> list[rules.Judged]:
        rows = rules.read_file("\r\n".join(["check,answer,reason", *lines]).encode())
        assert not isinstance(rows, FileTrouble)
        return rules.judge(rows, self.ASKED)

    def test_leaves_rows_without_an_answer_open(self) -> None:
        [row] = self.judged("Q-AAAA-AAAA,,")
        assert (row.given, row.trouble) == (None, None)

    def test_takes_rows_that_are_right(self) -> None:
        rows = self.judged("q-aaaa-aaaa,no,2", "Q-CCCC-CCCC,yes,")
        assert [row.given for row in rows] == [Given(OperatorAnswer.NO, "not_our_address"), Given(OperatorAnswer.YES)]

    def test_says_what_is_wrong_with_each_other_row(self) -> None:
        rows = self.judged(
            "Q-ZZZZ-ZZZZ,yes,", "Q-BBBB-BBBB,yes,", "Q-AAAA-AAAA,yes,", "Q-AAAA-AAAA,no,1", "Q-CCCC-CCCC,no,"
        )
        assert [row.trouble for row in rows] == [
            AnswerTrouble.UNKNOWN_CHECK,
            AnswerTrouble.CLOSED,
            AnswerTrouble.TWICE,
            AnswerTrouble.TWICE,
            AnswerTrouble.NO_REASON,
        ]
