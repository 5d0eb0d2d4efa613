"""Many recordings: sources, downloads, layouts, splits, duplicates, the plan of an ingestion."""
