"""Review of saved runs: list, show, compare and remove them, without a model and without torch."""
