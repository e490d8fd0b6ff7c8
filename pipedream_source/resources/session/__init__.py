"""What the resources of one source share: arguments, client, inventory, state; may use `polls`."""
