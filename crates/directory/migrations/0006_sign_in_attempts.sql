CREATE TABLE sign_in_attempts (
  email_hash   TEXT NOT NULL,
  network      TEXT NOT NULL,
  attempted_at BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_by_email ON sign_in_attempts (email_hash, attempted_at);
CREATE INDEX sign_in_attempts_by_network ON sign_in_attempts (network, attempted_at);
CREATE INDEX sign_in_attempts_by_time ON sign_in_attempts (attempted_at);
