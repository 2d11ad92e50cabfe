"""Questions, answered once: from memory, from another process, or by the model."""
