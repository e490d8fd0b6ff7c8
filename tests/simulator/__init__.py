"""A model of the API and of our promise, and a machine that tries to break the promise."""
