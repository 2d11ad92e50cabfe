"""Chat templates: how a prompt becomes the user's turn, and which tokens end the assistant's turn."""
