"""What the API takes and answers: the client, its calls, HTTP and pages; may use `core`."""
