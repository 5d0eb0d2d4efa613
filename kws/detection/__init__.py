"""From posteriors to detections: matching, rates with bounds, curves, thresholds and gates."""
