"""Writes the last part of docs/errors.md anew: python -m tests.docs.write_errors"""

from tests.docs import refusals

if __name__ == "__main__":
    whole = refusals.by_hand().rstrip("\n") + "\n\n" + refusals.generated()
    refusals.PAGE.write_text(whole, encoding="utf-8")
