"""Many recordings: sources, downloads, layouts, splits, duplicates, and the plan of an ingestion."""
