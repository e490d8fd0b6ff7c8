"""What one poll proves: new rows, gaps, pace and when to poll again; may use `streams`."""
