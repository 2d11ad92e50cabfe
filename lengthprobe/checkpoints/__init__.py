"""Checkpoints: from a name to files, and from files to a checkpoint in memory."""
