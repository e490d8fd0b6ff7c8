"""Verbs that load, maintain the database or serve the sandbox; may use every other room."""
