"""What can be watched in a model: hooks, outputs of components, attention."""
