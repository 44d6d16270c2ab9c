CREATE TABLE outbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  org        INTEGER NOT NULL REFERENCES organizations (id),
  body       TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
