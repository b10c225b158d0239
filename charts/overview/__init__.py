"""The six figures of the overview."""
