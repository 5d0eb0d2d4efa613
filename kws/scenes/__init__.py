"""Labelled scenes and long streams, laid over backgrounds, with their ground truth."""
