"""The parts of the data page: one upload from file to revision, and the history below it."""
