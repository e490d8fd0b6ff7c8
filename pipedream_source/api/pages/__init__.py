"""Pages of events and lists: split into rows, walked to their end; may use the protocol."""
