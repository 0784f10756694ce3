"""Errors that are told to a person as they are: the text says what is wrong and how to mend it; no trace follows."""

# Code of a command that ended because the database went away (EX_TEMPFAIL of sysexits.h): it may do at the next call.
DATABASE_AWAY = 75


class Told(Exception):
    """The base of errors that `rahdari` prints as one plain message, ending with `.code`."""

    code = 1
