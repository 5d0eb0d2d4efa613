"""Retraining: one pass of the loop, its record, and the loop itself. See docs/retraining.md."""
