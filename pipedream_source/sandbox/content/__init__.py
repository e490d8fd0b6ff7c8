"""What emitters emit, and the code that sources run; may use `protocol`."""
