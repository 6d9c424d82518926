"""The conversation: it hears, thinks and answers with a face."""
