"""Who is asked by letter and answers by its link. Each party is declared here once: its letters and its page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Party:
    """`asked` and `reminder` are letters of the catalogue; `page` is the template of the question."""

    key: str
    asked: str
    reminder: str
    page: str


CLIENT = Party("client", asked="client_question", reminder="client_reminder", page="vouch/question.html")

PARTIES = {each.key: each for each in (CLIENT,)}
