"""The pages of this room: the questions, the steps of a draft, its addresses, its documents."""

from . import addresses, eligibility, file_pages, held_people, steps, uploads

__all__ = ["addresses", "eligibility", "file_pages", "held_people", "steps", "uploads"]
