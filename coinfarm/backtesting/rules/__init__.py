"""A user's own rules: by columns, or step by step."""
