"""The detection rules, one file each: what turns a stream of posteriors into detections."""
