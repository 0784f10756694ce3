"""Backups that are proved: taken, sealed for a public key, restored to a time, and rehearsed."""
