CREATE TABLE users (
  id            TEXT NOT NULL PRIMARY KEY,
  org           INTEGER NOT NULL REFERENCES organizations (id),
  email         TEXT NOT NULL,
  email_key     TEXT NOT NULL,
  name          TEXT NOT NULL,
  role          TEXT NOT NULL,
  status        TEXT NOT NULL,
  password_hash TEXT,
  created_at    BIGINT NOT NULL,
  UNIQUE (org, email_key)
);
CREATE INDEX users_by_email ON users (email_key);
