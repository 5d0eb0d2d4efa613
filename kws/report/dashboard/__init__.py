"""Pages of `kws dashboard`: drawn from plain data, served on this machine alone."""
