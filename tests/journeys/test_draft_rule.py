"""A rule made in the open, from a draft to the policy in force: said on a passage, moved by a second version, hidden
and shown again, a name taken off, answered, adopted. One reader reads Urdu, the other English."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from rahdari import policy
from rahdari.ops import datafolder

from .desk import OFFICER, SECOND
from .people import DESK, Person, body_of, code_mailed, link_to
from .stack import Stack, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.root, pytest.mark.whole]
KEY = "journey-of-a-rule"
MOVES = {"en": "The clock stops while a question is open.", "ur": "جب تک کسی سوال کا جواب باقی ہو، وقت رکا رہے گا۔"}
WORDS = {"ur": "یہ بات سب کے لیے ہونی چاہیے، صرف کال سینٹر کے لیے نہیں۔", "en": "Keep it, and say so to all who wait."}


def files(folder: Path) -> list[Path]:
    """Two versions of a draft: in the second a sentence of 9.1 stands in 9.3. And the policy that it becomes."""
    sample = (Path(datafolder.__file__).parent / "sample" / "draft-rule.toml").read_text()
    first = sample.replace('key = "call-centre-clock"', f'key = "{KEY}"')
    head, of_clock, rest = first.partition('id = "9.1"')
    text, in_force, others = rest.partition("in_force = ")
    for sentence in MOVES.values():
        text = text.replace(f" {sentence}", "")
    second = head + of_clock + text + in_force + others
    second = second.replace("A supervisor takes over and", f"{MOVES['en']} A supervisor takes over and", 1)
    second = second.replace('ur = "سپروائزر کام سنبھالتا', f'ur = "{MOVES["ur"]} سپروائزر کام سنبھالتا', 1)
    rules = re.sub(r'(?m)^version = ".*"$', 'version = "journey-1"', policy.BUNDLED.read_text(), count=1)
    found = []
    for name, content in (("first.toml", first), ("second.toml", second), ("policy.toml", rules)):
        path = folder / name
        path.write_text(content)
        found.append(path)
    return found


def say(person: Person, draft: str, email: str, *, on: str = "", sentence: str = "") -> str:
    """From the draft to a comment that everybody reads; the address of its page."""
    person.open(draft, "draft rule")
    person.follow(f"main a[href*='/say/'][href$='{f'on={on}' if on else '/say/'}']", "comment on a rule")
    if sentence:
        person.page.locator("main label", has_text=sentence).locator("input[name=passage]").check()
    person.fill({"words": WORDS[person.language], "name": f"Sample {person.name}", "email": email})
    before = len(person.stack.mails_to(email))
    person.go_on("code for a comment")
    person.fill({"code": code_mailed(person.stack, email, before)})
    person.go_on("comment")
    assert WORDS[person.language] in person.text()
    return person.page.url


def form(person: Person, name: str) -> Locator:
    person.page.set_viewport_size(DESK)
    person.unfold()
    return person.page.locator(f"main form[action$='/{name}/'], main form[action$='/{name}/#{name}']")


def test_a_draft_becomes_the_policy_in_force_and_each_comment_is_answered(
    stack: Stack, a_person: Callable[..., Person], tmp_path: Path
) -> None:
    first, second, rules = files(tmp_path)
    published = stack.command("consult", "publish", str(first), str(rules))
    assert published.returncode == 0, published.stderr
    reference = re.search(r"DR-\d{4}-\d+", published.stdout)
    assert reference is not None, published.stdout
    draft, desk = f"/consultations/{reference[0]}/", f"/desk/consultations/{reference[0]}/"
    urdu, english = a_person("Reader One", language="ur"), a_person("Reader Two")
    officer, another = a_person("officer-of-rules"), a_person("second-of-rules", language="ur")
    mine, theirs = "reader-one@reader.example", "reader-two@reader.example"

    # Said on a passage and on the whole, by two who have no account.
    passage = say(urdu, draft, mine, on="9.1", sentence=MOVES["ur"])
    whole = say(english, draft, theirs)

    def replayed() -> bool:
        urdu.page.goto(stack.url + draft)
        return urdu.page.locator("#effect").count() == 1

    wait_for("what the draft would have changed of past cases", replayed, between=0.4)
    urdu.read("draft rule, said")

    # The second version moves the words, and their author is told in Urdu.
    for person, email in ((officer, OFFICER), (another, SECOND)):
        person.sign_in_ready(email)
        person.speak()
    officer.open(desk, "draft rule at the desk")
    upload = form(officer, "version")
    upload.locator("input[name=draft]").set_input_files(second)
    upload.locator("input[name=policy]").set_input_files(rules)
    officer.follow(upload.locator("button"), "draft rule at the desk, version 2")
    urdu.open(link_to(stack, mine, "/comments/"), "comment, moved")
    assert urdu.page.url == passage
    urdu.sees("In version %(number)s the words are in %(clause)s.", number=2, clause="9.3")
    english.open(f"{draft}?version=2&against=1", "draft rule, compared")
    assert english.page.locator("ins", has_text=MOVES["en"]).count()

    # Hidden for a reason, disputed, and shown again by another officer; in the public log.
    number = whole.rstrip("/").rpartition("/")[2]
    hide = form(officer, "hide")
    hide.locator("[name=number]").fill(number)
    hide.locator("[name=why][value=abuse]").check()
    officer.follow(hide.locator("button"), "draft rule at the desk, hide this?")
    assert WORDS["en"] in officer.text()
    officer.follow(form(officer, "hide").first.locator("button"), "draft rule at the desk, hidden")
    english.open(whole, "comment, hidden")
    assert WORDS["en"] not in english.text()
    english.open(link_to(stack, theirs, "/hidden/"), "your comment is hidden")
    english.go_on("your comment is hidden, disputed")
    another.open(desk, "draft rule at the desk, disputed")
    another.follow(form(another, "review").locator("button[name=show]"), "draft rule at the desk, shown")
    english.open(f"{draft}moderation/", "what was hidden")
    english.sees("Shown again")

    # A name is claimed with a code; its author says nothing, and the officer erases it. The words stay.
    urdu.open(whole, "comment of somebody else")
    urdu.follow("main a[href$='/name/']", "is this your name")
    named = "sample-reader@named.example"
    urdu.fill({"email": named})
    urdu.go_on("code for a name")
    urdu.fill({"code": code_mailed(stack, named, 0)})
    urdu.go_on("an officer looks at the name")
    officer.open(desk, "draft rule at the desk, a name")
    officer.follow(form(officer, "name").locator("button[name=erase]"), "draft rule at the desk, name erased")
    english.open(whole, "comment without its name")
    assert WORDS["en"] in english.text() and "Sample Reader Two" not in english.page.content()

    # Both are answered once, with the passage that is different now.
    answer = form(officer, "answer")
    for box in answer.locator("[name=comment]").all():
        box.check()
    answer.locator("[name=outcome][value=changed]").check()
    answer.locator("[name=clause]").select_option("9.3")
    for name, words in (("point", "The clock is for all."), ("text", "It stands with the rule for all now.")):
        answer.locator(f"[name={name}_en]").fill(words)
        answer.locator(f"[name={name}_ur]").fill("یہ قاعدہ اب سب کے لیے ہے۔")
    officer.follow(answer.locator("button"), "draft rule at the desk, answered")
    wait_for("the letter of the answer", lambda: any("جواب" in body_of(mail) for mail in stack.mails_to(mine)))
    urdu.open(passage, "comment, answered")
    urdu.follow("main .alert a", "answers")

    # Nobody adopts while it is open. When that is over two officers do, and the policy comes into force.
    officer.sees("The time for comment is not over.")
    assert stack.acts("ruling.py", "adopt", reference[0]) == ["adopted"]
    another.open(desk, "draft rule at the desk, adopted")
    urdu.open(draft, "draft rule, adopted")
    urdu.sees("Another policy is in force now.")
    link_to(stack, mine, draft)
    used = stack.command("policy", "use", str(rules), "--name", "Sample One, Office", "--second", "Sample Two, Office")
    try:
        assert used.returncode == 0, used.stdout + used.stderr
        urdu.waits_for(draft, "It is in force now.")
        english.open("/rules/", "rules, of the draft")
        assert "journey-1" in english.text()
    finally:
        stack.command("policy", "use", "pakistan", "--name", "Sample One, Office", "--second", "Sample Two, Office")


def test_figures_are_read_recomputed_and_attacked_by_a_stranger(
    stack: Stack, a_person: Callable[..., Person], tmp_path: Path
) -> None:
    """With the published files alone: what is told comes out, and what is not told cannot be worked out."""
    for language in ("en", "ur"):
        reader = a_person(f"statistician-{language}", language=language)
        reader.page.goto(f"{stack.url}/figures/")
        reader.speak()
        reader.open("/figures/", "figures")
        reader.open("/figures/definitions/", "definitions of figures")
    for name in ("figures.csv", "editions.csv", "definitions.csv", "datapackage.json"):
        answer = reader.page.request.get(f"{stack.url}/figures/data/{name}")
        assert answer.ok, name
        (tmp_path / name).write_bytes(answer.body())
    checked = stack.command("figures", "check", str(tmp_path))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    # A small number that was not protected is found.
    with (tmp_path / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    few = next(row for row in rows if row["mark"] == "few")
    few |= {"value": "3", "mark": ""}
    with (tmp_path / "figures.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    assert stack.command("figures", "check", str(tmp_path)).returncode != 0
    # Counted again from the database, each difference is explained; there is none in a month that did not change.
    verified = stack.command("figures", "verify", few["month"][:7])
    assert verified.returncode in (0, 1) and "cells of" in verified.stdout, verified.stdout
