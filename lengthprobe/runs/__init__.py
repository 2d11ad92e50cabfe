"""Runs: the identity of a checkpoint under its settings."""
