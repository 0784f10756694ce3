"""What SMS adds to applications: the code for what an officer entered goes to a mobile number."""

from functools import partial

from rahdari.sms.actions import write_code_to_number
from rahdari.sms.queries import is_set_up as is_set_up
from rahdari.sms.writing import ENTRY_CODE

write_entry_code = partial(write_code_to_number, note=ENTRY_CODE)
