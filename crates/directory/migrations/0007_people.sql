ALTER TABLE organizations ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN archived_at BIGINT;
ALTER TABLE organizations ADD COLUMN second_factor_required BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE organizations ADD COLUMN members_see_own_events BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE organizations ADD COLUMN hide_headers BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE organizations ADD COLUMN scrub_secrets BOOLEAN NOT NULL DEFAULT TRUE;

ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
UPDATE users SET name_key = lower(name);
ALTER TABLE users ADD COLUMN email_verified_at BIGINT;
ALTER TABLE users ADD COLUMN last_sign_in_at BIGINT;
ALTER TABLE users ADD COLUMN second_factor_since BIGINT;

CREATE TABLE service_accounts (
  id         TEXT NOT NULL PRIMARY KEY,
  org        INTEGER NOT NULL REFERENCES organizations (id),
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  status     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (org, name_key)
);
ALTER TABLE api_keys ADD COLUMN service_account TEXT REFERENCES service_accounts (id);
CREATE INDEX api_keys_by_service_account ON api_keys (service_account);
CREATE INDEX sessions_by_org ON sessions (org);

CREATE TABLE groups (
  id          TEXT NOT NULL PRIMARY KEY,
  org         INTEGER NOT NULL REFERENCES organizations (id),
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  UNIQUE (org, name_key)
);
CREATE TABLE group_members (
  group_id    TEXT NOT NULL REFERENCES groups (id),
  member_kind TEXT NOT NULL,
  member_id   TEXT NOT NULL,
  added_at    BIGINT NOT NULL,
  PRIMARY KEY (group_id, member_kind, member_id)
);
CREATE INDEX group_members_by_member ON group_members (member_kind, member_id);

CREATE TABLE roles (
  id          TEXT NOT NULL PRIMARY KEY,
  org         INTEGER NOT NULL REFERENCES organizations (id),
  name        TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  UNIQUE (org, name_key)
);
CREATE TABLE role_assignments (
  id           TEXT NOT NULL PRIMARY KEY,
  org          INTEGER NOT NULL REFERENCES organizations (id),
  role         TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id   TEXT NOT NULL,
  team         TEXT,
  narrowing    TEXT,
  assigned_by  TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT,
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE INDEX role_assignments_by_subject ON role_assignments (org, subject_kind, subject_id);
CREATE INDEX role_assignments_by_role ON role_assignments (org, role);
CREATE UNIQUE INDEX role_assignments_once ON role_assignments (org, role, subject_kind, subject_id, coalesce(team, ''));

CREATE TABLE invitations (
  id          TEXT NOT NULL PRIMARY KEY,
  org         INTEGER NOT NULL REFERENCES organizations (id),
  email       TEXT NOT NULL,
  email_key   TEXT NOT NULL,
  role        TEXT NOT NULL,
  team        TEXT,
  token_hash  TEXT NOT NULL UNIQUE,
  invited_by  TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  sent_at     BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  redeemed_at BIGINT,
  revoked_at  BIGINT,
  user_id     TEXT REFERENCES users (id),
  FOREIGN KEY (org, team) REFERENCES teams (org, id)
);
CREATE INDEX invitations_by_org ON invitations (org, email_key);
