"""The command `pipedream-source`: a module for each verb; dlt is imported when one needs it."""
