"""How much a claim asks: topics, prompts and minutes, before they are asked."""
