"""How a checkpoint answers: batches of prompts, written greedily."""
