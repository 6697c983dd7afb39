"""Model bundles: the format, where versions are stored, which one is in service, and how a new one is published."""
