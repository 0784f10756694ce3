"""`rahdari agent terms`: the terms of the feed, and their acceptance on a machine that was set up without it."""

import argparse
import os
import re
from pathlib import Path

from rahdari.feed.terms import TERMS, terms_page

from ..atomic_files import put_file
from ..configuration import load
from ..faults import Exit
from ..terms import TermsRefused, accept_terms
from .acts import Acts, act
from .configuring import check_configuration

# What stands before the first table is the agent's own.
_FIRST_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_TERMS = re.compile(r"^[ \t]*terms[ \t]*=.*\n", re.MULTILINE)


def add(acts: Acts) -> None:
    terms = act(acts, "terms", "show the terms of the feed, and accept them", show_terms)
    terms.add_argument(
        "--accept", nargs="?", const="", metavar="DIGEST", help="note in the configuration that they are accepted"
    )


def show_terms(arguments: argparse.Namespace) -> int:
    if arguments.accept is None:
        print(terms_page().decode())
        print(f"SHA-256 {TERMS}")
        return Exit.OK
    path: Path = arguments.config
    load(path)
    terms = accept_terms(arguments.accept, "--accept")
    text = path.read_text(encoding="utf-8")
    end = found.start() if (found := _FIRST_TABLE.search(text)) else len(text)
    noted = f'terms = "{terms}"\n{_TERMS.sub("", text[:end])}{text[end:]}'
    try:
        before = path.stat()
        check_configuration(path, noted)
        put_file(path, noted.encode(), before.st_mode & 0o777)
        os.chown(path, before.st_uid, before.st_gid)
    except OSError as error:
        raise TermsRefused(f"{path} cannot be written ({error.strerror}).", "--accept") from None
    print(f"Written: {path}. From the next start of the agent on its receipts say so: systemctl restart rahdari-agent")
    return Exit.OK
