"""What the command writes: console, tables, JSON; uses no other room."""
