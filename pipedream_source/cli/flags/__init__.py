"""A verb's input: flags, configuration, files, confirmation; may use `command` and `output`."""
