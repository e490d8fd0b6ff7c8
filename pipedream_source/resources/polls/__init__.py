"""Windows polled in threads, and the rows that each poll yields; may use `schema` and `arrow`."""
