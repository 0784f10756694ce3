"""What this room writes into the journal. Of comments never who wrote them: nobody is to find a critic by it."""

from rahdari.journal.registry import declare_unshown

declare_unshown("consult", "published announced_hearing called_off_hearing added_minutes answered")
declare_unshown("consult", "proposed adopted withdrawn")
declare_unshown(
    "consult", "hid disputed showed upheld took_out invited ended_body claimed contested erased_name showed_name"
)
