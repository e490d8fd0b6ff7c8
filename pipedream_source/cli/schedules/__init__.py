"""Schedules, one module for each scheduler with its text and quoting; may use `read` and below.

Each has a function `files(job)` that returns what that scheduler needs. None of these texts ever
holds a key: it says where the key is to stand.
"""
