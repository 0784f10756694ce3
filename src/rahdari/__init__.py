"""Rahdari: a register of VPN endpoints that operators are to spare, and the signed feed that keeps them in step."""

__version__ = "0.1.0"
