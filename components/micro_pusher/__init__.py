"""MicroPusher: a versioned bundle, only with all three blessings."""
