"""Questions pages ask of the facts: a snapshot in, a typed frame out, rows ordered by key."""
