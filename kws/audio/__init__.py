"""One recording: read, check, align, describe; and live sound."""
