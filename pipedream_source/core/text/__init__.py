"""JSON, SQL and secrets as text; uses no other room."""
