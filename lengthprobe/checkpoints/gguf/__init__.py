"""GGUF files: header, config, tokenizer and weights, each checked against the file."""
