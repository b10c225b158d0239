"""CSV files other people made, into rows of our tables: prepare one, look at it, answer its questions, commit it."""

from data.importing.prepare import Prepared, commit, prepare
from data.importing.report import Cancelled, OpenQuestions, Refused

__all__ = ["Cancelled", "OpenQuestions", "Prepared", "Refused", "commit", "prepare"]
