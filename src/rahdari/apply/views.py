"""The pages of this room: the questions, the steps of a draft, its addresses, its documents."""

from . import addresses, starting, steps, uploads

__all__ = ["addresses", "starting", "steps", "uploads"]
