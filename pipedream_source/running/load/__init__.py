"""One load from lock to report; may use every other room."""
