"""Who publishes a draft is told what its policy file changes; the sample's text and its policy file say the same."""

import argparse
from pathlib import Path

import pytest
from django.utils import timezone, translation

from rahdari import policy
from rahdari.consult import commands, document, queries
from rahdari.consult.models import Draft
from rahdari.ops import datafolder, sample_drafts
from rahdari.policy.changes import changes
from rahdari.web.allowances import in_words
from tests.builders.consultations import SAMPLE, a_key, policy_text, text_of


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["check", "publish"])
@pytest.mark.parametrize("same", [True, False])
def test_the_keys_of_the_policy_that_differ_are_named(
    act: str, same: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    datafolder.write_label(tmp_path, datafolder.REGISTER)
    monkeypatch.setenv("RAHDARI_DATA", str(tmp_path))
    draft, becomes = tmp_path / "draft.toml", tmp_path / "policy.toml"
    draft.write_text(text_of(a_key()))
    text = policy_text("draft-1")
    becomes.write_text(
        text if same else text.replace("officer_decision = { length = 10", "officer_decision = { length = 8")
    )
    parser = argparse.ArgumentParser()
    commands.register(parser.add_subparsers())
    wanted = parser.parse_args(["consult", act, str(draft), str(becomes)])
    assert wanted.run(wanted) == 0
    said = capsys.readouterr().out
    told = "Nothing in the policy file differs from the policy in force but its version."
    assert (told in said) == same
    assert ("differs from the policy in force in: clocks.officer_decision.length." in said) != same


def test_the_sample_tells_what_its_policy_file_changes() -> None:
    source = policy.BUNDLED.read_text(encoding="utf-8")
    before, after = policy.read(source), policy.read(sample_drafts.becomes(source))
    differing = [(each.place, each.is_against) for each in changes(before.source, after.source)]
    assert differing == [("services.whitelist_call_centre.clock", False), ("version", False)]
    draft = document.read(SAMPLE)
    clause = draft.clause("9.1")
    assert clause is not None
    for language in document.LANGUAGES:
        with translation.override(language):
            others, was, now = (
                in_words(rules.clocks[rules.services[key].clock])
                for rules, key in (
                    (before, "vpn_company"),
                    (before, "whitelist_call_centre"),
                    (after, "whitelist_call_centre"),
                )
            )
        assert was != now
        lead, said, text = draft.lead.in_language(language), clause.said(language), clause.says(language)
        assert was in lead and now in lead
        assert others in said and was in said
        assert was not in text and text.count(now) == 2 and now == others


@pytest.mark.django_db
def test_the_sample_is_published_with_what_is_said_of_it() -> None:
    sample_drafts.publish(timezone.now())
    said = queries.comments(Draft.objects.get(key=document.read(SAMPLE).key))
    assert [(each.clause, each.exact) for each in said] == [each[:2] for each in sample_drafts.SAID]
