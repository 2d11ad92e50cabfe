"""Measures of attribution: each gives a number about the components that wrote the responses."""
