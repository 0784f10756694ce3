"""What this room writes into the journal."""

from rahdari.journal.registry import Act, Event, declare, declare_unshown

# A consumer was told: one row for each, from which its programs are told, too.
declare(Act("maintenance.told", event=Event("planned_work.notice")))
declare_unshown("maintenance", "drafted edited discarded announced changed cancelled started prolonged completed")
declare_unshown("maintenance", "showed_words kept_words_back")
declare_unshown("maintenance", "read_in made_calendar ended_calendar erased")
# A holder asks for another night (`inquiry`).
declare_unshown("maintenance", "asked answered expired lapsed")
