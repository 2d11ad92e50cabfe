"""Chat templates: how a prompt becomes the user's turn, and what ends the assistant's."""
