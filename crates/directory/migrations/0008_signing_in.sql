ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN second_factor_at BIGINT;
ALTER TABLE sessions ADD COLUMN confirmed_at BIGINT;

CREATE TABLE authenticators (
  id         TEXT NOT NULL PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id),
  name       TEXT NOT NULL,
  secret     TEXT NOT NULL,
  last_step  BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  confirmed_at BIGINT
);
CREATE INDEX authenticators_by_user ON authenticators (user_id);
CREATE TABLE recovery_codes (
  user_id   TEXT NOT NULL REFERENCES users (id),
  code_hash TEXT NOT NULL,
  used_at   BIGINT,
  PRIMARY KEY (user_id, code_hash)
);
CREATE TABLE links (
  id         TEXT NOT NULL PRIMARY KEY,
  org        INTEGER REFERENCES organizations (id),
  user_id    TEXT REFERENCES users (id),
  purpose    TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  detail     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT
);
CREATE INDEX links_by_user ON links (user_id, purpose);
CREATE TABLE mails (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  org        INTEGER REFERENCES organizations (id),
  sealed     TEXT NOT NULL,
  attempts   INTEGER NOT NULL,
  due_at     BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
