"""PEFT adapters: checked, put on their base, and merged into its weights."""
