"""Servers of PostgreSQL that stand in for each other, rehearsed: docs/growing.md tells it, deploy/patroni is how it is
set up."""
