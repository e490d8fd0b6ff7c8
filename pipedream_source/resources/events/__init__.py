"""The resources of events, emits and errors; may use `session` and below."""
