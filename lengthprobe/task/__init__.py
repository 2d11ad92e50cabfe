"""What is asked: languages, prompts, and how the words of an answer are counted."""
