"""What SMS adds to checks: a code goes to the mobile number of a contact."""

from rahdari.sms.actions import write_code_to_number as write_code_to_number
