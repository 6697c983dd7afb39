"""Model bundles: the format, where versions are stored, which one serves, and how a new one is published."""
