"""Who answers: from a name to a checkpoint in memory, and from a prompt to its response."""
