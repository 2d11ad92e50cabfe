"""Activations of a model: hooks, outputs of components, attention."""
