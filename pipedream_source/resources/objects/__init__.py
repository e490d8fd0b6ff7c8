"""The resources of sources, workflows, users and other objects; may use `session` and below."""
