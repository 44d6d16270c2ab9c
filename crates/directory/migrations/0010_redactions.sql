CREATE TABLE redactions (
  id         TEXT NOT NULL PRIMARY KEY,
  org        INTEGER NOT NULL REFERENCES organizations (id),
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  rule       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (org, name_key)
);
