"""Output for people: the ledger of decided claims, the table of the ledger, and the JSON file."""
