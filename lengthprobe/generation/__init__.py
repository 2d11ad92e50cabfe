"""Generation: the responses to batches of prompts, written greedily."""
