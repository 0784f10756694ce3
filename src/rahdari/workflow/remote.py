"""People who work from home: what is erased of their lines."""

from rahdari.remote import actions, queries

forget_holder = actions.forget
let_go = actions.drop_entry
entries_needed = queries.entries_of_lines
