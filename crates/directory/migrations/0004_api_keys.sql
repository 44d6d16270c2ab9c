CREATE TABLE api_keys (
  id           TEXT NOT NULL PRIMARY KEY,
  org          INTEGER NOT NULL REFERENCES organizations (id),
  team         TEXT,
  name         TEXT NOT NULL,
  scopes       TEXT NOT NULL,
  prefix       TEXT NOT NULL,
  secret_hash  TEXT NOT NULL UNIQUE,
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT,
  revoked_at   BIGINT,
  last_used_at BIGINT,
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE INDEX api_keys_by_org ON api_keys (org);
