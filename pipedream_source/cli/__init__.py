"""The command `pipedream-source`: a module for each verb, none of which imports dlt before it runs."""
