"""A run from outside dlt: lock, restore, load, report; may use `source` and below."""
