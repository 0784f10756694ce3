"""Rahdari: a register of VPN endpoints that must not be cut, and the signed feed that keeps operators in step."""

__version__ = "0.1.0"
