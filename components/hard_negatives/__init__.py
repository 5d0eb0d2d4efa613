"""HardNegativeMiner: a model's false accepts in the training streams as examples."""
