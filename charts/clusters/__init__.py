"""Charts of cluster buildouts."""
