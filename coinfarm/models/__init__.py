"""Model bundles: what one is, where versions are kept, which one serves, and how a new one gets there."""
