"""Rows as Arrow tables, within the limits of a destination; may use `schema`."""
