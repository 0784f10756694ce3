"""Mobile lines: what does not come back with a registration."""

from rahdari.mobile import queries

lost_with = queries.lost_with
