import argparse

import pytest
from django.utils import timezone

from rahdari.confirm import tokens
from rahdari.confirm.queries import tokens_of
from rahdari.letters.models import Letter
from rahdari.people import commands, queries

pytestmark = pytest.mark.django_db


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands.register(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["people", *words])
    code: int = arguments.run(arguments)
    return code


class TestWhoWatchesPosts:
    def test_is_told_of_what_the_command_line_does(self) -> None:
        run("appoint", "boss@sample.example", "supervisor")
        boss = queries.person_by_email("boss@sample.example")
        run("appoint", "new@sample.example", "officer")
        run("reset", "new@sample.example")
        run("dismiss", "new@sample.example", "officer")
        told = Letter.objects.filter(template="post_changed", to=boss)
        assert told.count() == 4 and all("command line" in each.text for each in told)


class TestAppoint:
    def test_registers_and_appoints(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("appoint", "First@sample.example", "officer", "--rank", "director") == 0
        user = queries.person_by_email("first@sample.example")
        assert user is not None and queries.has_rank(user, "director")
        assert "first@sample.example holds the post: officer, director." in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["nobody", "officer"], "nobody: Enter an email address with an @ sign and without spaces."),
            (
                ["admin@authority.localhost", "officer"],
                "admin@authority.localhost: Nobody can be reached at this address",
            ),
            (["a@sample.example", "operator"], "Give --operator SLUG"),
            (["a@sample.example", "association"], "Give --association SLUG"),
            (["a@sample.example", "officer", "--association", "sample-software-houses"], "Give --association SLUG"),
            (["a@sample.example", "association", "--association", "nobody"], "The policy names no association nobody."),
            (
                ["a@sample.example", "administrator", "--rank", "director"],
                "The role administrator has no rank",
            ),
        ],
    )
    def test_says_what_is_wrong(self, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
        assert run("appoint", *words) == 2
        assert said in capsys.readouterr().err

    def test_appoints_for_an_association_of_the_policy(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = ("a@sample.example", "association", "--association", "sample-software-houses")
        assert run("appoint", *words) == 0
        user = queries.person_by_email("a@sample.example")
        assert user is not None and queries.association_of(user) == "sample-software-houses"
        assert list(queries.people_of_association("sample-software-houses")) == [user]
        assert run("dismiss", *words) == 0
        assert queries.association_of(user) is None
        assert "holds the post: association for sample-software-houses." in capsys.readouterr().out


class TestDismiss:
    def test_ends_the_post(self, capsys: pytest.CaptureFixture[str]) -> None:
        run("appoint", "a@sample.example", "operator", "--operator", "sample-fibre")
        assert run("dismiss", "a@sample.example", "operator") == 1
        assert run("dismiss", "a@sample.example", "operator", "--operator", "sample-fibre") == 0
        user = queries.person_by_email("a@sample.example")
        assert user is not None and queries.operator_of(user) is None

    @pytest.mark.parametrize(("more", "left"), [((), 1), (("--keys",), 0)])
    def test_tells_of_keys_that_work_on_or_ends_them(
        self, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], left: int
    ) -> None:
        run("appoint", "a@sample.example", "operator", "--operator", "sample-fibre")
        user = queries.person_by_email("a@sample.example")
        assert user is not None
        tokens.make_token(
            operator="sample-fibre", name="Ours", sandbox=False, by=f"person:{user.pk}", now=timezone.now()
        )
        run("dismiss", "a@sample.example", "operator", "--operator", "sample-fibre", *more)
        assert ("1 key of the operator's system" in capsys.readouterr().out) is bool(left)
        assert tokens_of(operator="sample-fibre", now=timezone.now()).count() == left


class TestReset:
    def test_knows_only_who_is_registered(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("reset", "nobody@sample.example") == 1
        run("appoint", "a@sample.example", "officer")
        assert run("reset", "a@sample.example") == 0
