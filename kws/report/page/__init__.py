"""The report of a run as one HTML file: `page.render(facts)`; one section a file."""
