"""What a person looks at: tables, pictures, the page of a run and the dashboard."""
