CREATE TABLE environments (
  id         TEXT NOT NULL PRIMARY KEY,
  org        INTEGER NOT NULL REFERENCES organizations (id),
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  kind       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (org, name_key)
);
CREATE TABLE folders (
  id         TEXT NOT NULL PRIMARY KEY,
  org        INTEGER NOT NULL REFERENCES organizations (id),
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  parent     TEXT REFERENCES folders (id),
  team       TEXT,
  created_at BIGINT NOT NULL,
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE UNIQUE INDEX folders_by_name ON folders (org, coalesce(parent, ''), coalesce(team, ''), name_key);
CREATE TABLE apps (
  id          TEXT NOT NULL PRIMARY KEY,
  org         INTEGER NOT NULL REFERENCES organizations (id),
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  folder      TEXT REFERENCES folders (id),
  team        TEXT,
  released_at BIGINT,
  archived_at BIGINT,
  created_at  BIGINT NOT NULL,
  UNIQUE (org, name_key),
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE TABLE workflows (
  id          TEXT NOT NULL PRIMARY KEY,
  org         INTEGER NOT NULL REFERENCES organizations (id),
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  folder      TEXT REFERENCES folders (id),
  team        TEXT,
  enabled     BOOLEAN NOT NULL,
  released_at BIGINT,
  archived_at BIGINT,
  created_at  BIGINT NOT NULL,
  UNIQUE (org, name_key),
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE TABLE resources (
  id         TEXT NOT NULL PRIMARY KEY,
  org        INTEGER NOT NULL REFERENCES organizations (id),
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  kind       TEXT NOT NULL,
  folder     TEXT REFERENCES folders (id),
  team       TEXT,
  archived_at BIGINT,
  created_at BIGINT NOT NULL,
  UNIQUE (org, name_key),
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE TABLE resource_environments (
  resource    TEXT NOT NULL REFERENCES resources (id),
  environment TEXT NOT NULL REFERENCES environments (id),
  sensitive   BOOLEAN NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (resource, environment)
);
CREATE TABLE grants (
  id           TEXT NOT NULL PRIMARY KEY,
  org          INTEGER NOT NULL REFERENCES organizations (id),
  subject_kind TEXT NOT NULL,
  subject_id   TEXT NOT NULL,
  level        TEXT NOT NULL,
  object_kind  TEXT NOT NULL,
  object_id    TEXT,
  environment  TEXT REFERENCES environments (id),
  granted_by   TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT
);
CREATE INDEX grants_by_subject ON grants (org, subject_kind, subject_id);
CREATE INDEX grants_by_object ON grants (org, object_kind, object_id);
CREATE UNIQUE INDEX grants_once
  ON grants (org, subject_kind, subject_id, object_kind, coalesce(object_id, ''), coalesce(environment, ''));
INSERT INTO environments (id, org, name, name_key, kind, created_at)
  SELECT 'env_' || lower(hex(randomblob(8))), organizations.id, kind, kind, kind, organizations.created_at
  FROM organizations, (SELECT 'development' AS kind UNION ALL SELECT 'staging' UNION ALL SELECT 'production');
