from rahdari.journal.registry import declare_unshown

declare_unshown("licensees", "imported")
