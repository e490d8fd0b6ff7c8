"""A load that runs again and again: one module for each scheduler, with its text and its quoting.

Each has a function `files(job)` that returns what that scheduler needs. None of these texts ever
holds a key: it says where the key is to stand.
"""
