"""The command `pipedream-source`, a module a verb; dlt is imported late; may use every floor."""
