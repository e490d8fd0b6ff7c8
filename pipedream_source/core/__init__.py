"""Pure rules: ids, windows, loss, cadence, redaction. No I/O, no clock, no threads."""
