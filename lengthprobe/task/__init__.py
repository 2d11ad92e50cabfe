"""The task: languages, prompts, and how the words of an answer are counted."""
