"""What people read: the ledger of what was decided, the table made of it, and the JSON file."""
