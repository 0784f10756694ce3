"""The pages of this room: the questions, the steps of a draft, its addresses, its documents."""

from . import addresses, counting, file_pages, starting, steps, uploads

__all__ = ["addresses", "counting", "file_pages", "starting", "steps", "uploads"]
