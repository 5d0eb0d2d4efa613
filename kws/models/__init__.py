"""The models, one file an architecture, and the registry that finds them by name."""
