"""Event ids, and what is remembered of a stream between two polls; uses no other room."""
