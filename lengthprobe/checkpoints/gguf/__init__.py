"""GGUF files: header, config, tokenizer and weights of one, each held against what the file says."""
