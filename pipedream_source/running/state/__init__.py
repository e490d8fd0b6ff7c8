"""The destination's cursors, restored and checked before a poll; may use `packages` and below."""
