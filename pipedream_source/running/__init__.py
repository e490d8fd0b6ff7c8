"""Runs from outside dlt: the lock, the drain, signals, exit codes, and what a run reports."""
