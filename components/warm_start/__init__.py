"""Which model a training starts from."""
