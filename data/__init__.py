"""The store: facts as CSV, revisions of them in DuckDB, and the questions pages ask of them."""
