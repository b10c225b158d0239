CREATE TABLE revisions (
    rev BIGINT PRIMARY KEY,
    time TIMESTAMP NOT NULL,
    kind VARCHAR NOT NULL,        -- shipped, import, undo
    author VARCHAR NOT NULL,
    file_name VARCHAR,
    sha256 VARCHAR,
    note VARCHAR,
    today DATE NOT NULL           -- the day the writer took as today
);
-- What a revision did to a table: also the index that tells which revision a table last changed in.
CREATE TABLE revision_tables (
    rev BIGINT NOT NULL,
    table_name VARCHAR NOT NULL,
    added BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    removed BIGINT NOT NULL,
    PRIMARY KEY (rev, table_name)
);
CREATE TABLE sources (
    source_id VARCHAR PRIMARY KEY,
    title VARCHAR NOT NULL,
    url VARCHAR NOT NULL,
    first_rev BIGINT NOT NULL
);
-- The newest shipped edition of each table that was taken in.
CREATE TABLE shipped_editions (
    table_name VARCHAR PRIMARY KEY,
    sha256 VARCHAR NOT NULL,
    rev BIGINT NOT NULL
);
-- Rows where a new shipped edition differs from what a user changed: the user's stays until somebody settles it.
CREATE TABLE unsettled (
    table_name VARCHAR NOT NULL,
    fact_key VARCHAR NOT NULL,
    rev BIGINT NOT NULL,
    shipped_row VARCHAR,          -- JSON of the shipped row; null where the edition dropped it
    PRIMARY KEY (table_name, fact_key)
);
CREATE TABLE uploads (
    upload_id VARCHAR PRIMARY KEY,  -- SHA-256 of the file
    name VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    time TIMESTAMP NOT NULL,
    author VARCHAR NOT NULL
);
CREATE TABLE mappings (
    table_name VARCHAR NOT NULL,
    header_sha256 VARCHAR NOT NULL,
    mapping VARCHAR NOT NULL,       -- JSON
    time TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, header_sha256)
);
CREATE TABLE links (
    id VARCHAR PRIMARY KEY,
    page VARCHAR NOT NULL,
    chart VARCHAR NOT NULL,
    params VARCHAR NOT NULL,        -- canonical JSON, every parameter
    schema_version INTEGER NOT NULL,
    rev BIGINT NOT NULL,
    model VARCHAR NOT NULL,
    table_sha256 VARCHAR NOT NULL,  -- blobs/<sha256>: Parquet of what was shown
    receipt VARCHAR NOT NULL,
    words VARCHAR NOT NULL,
    today DATE NOT NULL,
    created TIMESTAMP NOT NULL
);
