"""Pure rules: ids, windows, loss, redaction; no I/O, clock or threads; uses no other floor."""
