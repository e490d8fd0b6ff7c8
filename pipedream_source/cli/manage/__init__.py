"""Verbs that read and change the API's objects; may use `read` and below."""
