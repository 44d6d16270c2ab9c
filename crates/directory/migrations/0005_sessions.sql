CREATE TABLE sessions (
  id           TEXT NOT NULL PRIMARY KEY,
  org          INTEGER NOT NULL REFERENCES organizations (id),
  user_id      TEXT NOT NULL REFERENCES users (id),
  token_hash   TEXT NOT NULL UNIQUE,
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  ip           TEXT,
  user_agent   TEXT
);
CREATE INDEX sessions_by_user ON sessions (user_id);
