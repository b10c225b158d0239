-- Events that a newer event of the same fact took the place of: with it the current state is a view, and no fact is stored twice.
CREATE TABLE superseded (
    table_name VARCHAR NOT NULL,
    fact_key VARCHAR NOT NULL,
    rev BIGINT NOT NULL,          -- the event that ended
    ended_in BIGINT NOT NULL      -- the revision that ended it
);
