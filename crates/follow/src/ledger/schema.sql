-- One organization's log on its way to one destination.
CREATE TABLE routes (
    id                INTEGER PRIMARY KEY,
    destination       TEXT    NOT NULL,
    organization      INTEGER NOT NULL,
    next              INTEGER NOT NULL,            -- everything before this index has arrived or is a dead letter
    delivered         INTEGER NOT NULL DEFAULT 0,
    last_delivered_at INTEGER,
    last_answer       TEXT,
    last_verdict      TEXT,
    last_answer_at    INTEGER,
    failing_since     INTEGER,
    attempts          INTEGER NOT NULL DEFAULT 0,
    gone              TEXT,                        -- why the receiver wants nothing any more
    gone_at           INTEGER,
    told_since        INTEGER,                     -- the trouble that people have been told of, by when it began
    UNIQUE (destination, organization)
) STRICT;

CREATE INDEX routes_by_organization ON routes (organization);

-- What has not arrived although it should have; kept when closed.
CREATE TABLE gaps (
    id     INTEGER PRIMARY KEY,
    route  INTEGER NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    kind   TEXT    NOT NULL CHECK (kind IN ('outage', 'skip')),
    first  INTEGER NOT NULL,
    last   INTEGER,                                -- NULL while it grows with the log
    opened INTEGER NOT NULL,
    closed INTEGER,
    reason TEXT    NOT NULL,
    origin INTEGER,                                -- of a part that was closed by itself: the gap it was cut from,
    run    INTEGER                                 -- and by which replay (0: by the live course)
) STRICT;

CREATE INDEX gaps_by_route ON gaps (route, closed);
CREATE UNIQUE INDEX gaps_one_outage ON gaps (route) WHERE kind = 'outage' AND closed IS NULL;

CREATE TABLE dead_letters (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    route    INTEGER NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    at_index INTEGER NOT NULL,
    event_id TEXT    NOT NULL,
    part     INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    answer   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    excerpt  TEXT    NOT NULL,
    replay   INTEGER,                              -- the replay that is to send it again
    UNIQUE (route, at_index, part)
) STRICT;

CREATE INDEX dead_letters_by_replay ON dead_letters (replay, at_index) WHERE replay IS NOT NULL;

-- What arrived when. `run` is 0 for the live course, or the replay's id.
CREATE TABLE receipts (
    route  INTEGER NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    run    INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    runs   BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    span   INTEGER NOT NULL,                       -- how exactly `at` is known, in milliseconds
    answer TEXT    NOT NULL,
    PRIMARY KEY (route, run, first)
) STRICT, WITHOUT ROWID;

CREATE INDEX receipts_by_time ON receipts (span, at);

CREATE TABLE replays (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    route     INTEGER NOT NULL REFERENCES routes (id) ON DELETE CASCADE,
    kind      TEXT    NOT NULL CHECK (kind IN ('range', 'dead_letters')),
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    next      INTEGER NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('queued', 'running', 'done', 'cancelled', 'failed')),
    delivered INTEGER NOT NULL DEFAULT 0,
    dead      INTEGER NOT NULL DEFAULT 0,
    created   INTEGER NOT NULL,
    ended     INTEGER,
    reason    TEXT
) STRICT;

CREATE INDEX replays_by_route ON replays (route, state);
