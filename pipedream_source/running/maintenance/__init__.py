"""Compaction, pruning and its archive; may use the run's records, `destination` and below."""
