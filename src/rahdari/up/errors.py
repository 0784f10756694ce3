"""Errors that are told to a person as they are: the text says what is wrong and how to mend it; no trace follows."""


class Told(Exception):
    """The base of errors that `rahdari` prints as one plain message, ending with code 1."""
