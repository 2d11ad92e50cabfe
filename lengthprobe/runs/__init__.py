"""What was seen before: the identity of a checkpoint under its settings."""
