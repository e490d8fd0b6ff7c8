"""Pending load packages: check, rescue, drain and undo them; may use `destination` and below."""
