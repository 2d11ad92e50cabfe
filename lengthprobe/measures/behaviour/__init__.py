"""Measures of behaviour: one number each about the responses that a checkpoint wrote."""
