"""The state behind the API: workspace, emitters, deliveries; may use `content` and `protocol`."""
