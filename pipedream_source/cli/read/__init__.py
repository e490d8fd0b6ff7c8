"""Verbs that read the database and change nothing; may use `flags` and below."""
