CREATE TABLE organizations (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL UNIQUE,
  log_id     TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);

CREATE TABLE teams (
  org        INTEGER NOT NULL REFERENCES organizations (id),
  id         TEXT NOT NULL,
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (org, id),
  UNIQUE (org, name_key)
);
