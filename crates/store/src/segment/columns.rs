//! The columns of a segment, in the order in which they stand.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema};

/// The format's version, in the file's key-value metadata under `acta.segment`.
pub(crate) const VERSION: &str = "2";

macro_rules! columns {
    ($($const:ident = $name:literal $type:expr, nullable: $nullable:literal;)+) => {
        $(pub(crate) const $const: &str = $name;)+

        /// The Arrow schema.
        pub(crate) static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
            Arc::new(Schema::new(vec![$(Field::new($name, $type, $nullable)),+]))
        });
    };
}

columns! {
    ORG = "org" DataType::UInt32, nullable: false;
    INDEX = "index" DataType::UInt64, nullable: false;
    EVENT_ID = "event_id" DataType::FixedSizeBinary(16), nullable: false;
    OCCURRED_AT = "occurred_at" DataType::Int64, nullable: false;
    ACTION = "action" DataType::Utf8, nullable: false;
    TEAM = "team" DataType::Utf8, nullable: true;
    OUTCOME = "outcome" DataType::Utf8, nullable: true;
    ACTOR_TYPE = "actor_type" DataType::Utf8, nullable: false;
    ACTOR_ID = "actor_id" DataType::Utf8, nullable: false;
    ACTOR_NAME = "actor_name" DataType::Utf8, nullable: true;
    ACTOR_EMAIL = "actor_email" DataType::Utf8, nullable: true;
    TARGETS = "targets" DataType::Utf8, nullable: true;
    IP = "ip" DataType::Utf8, nullable: true;
    USER_AGENT = "user_agent" DataType::Utf8, nullable: true;
    SESSION_ID = "session_id" DataType::Utf8, nullable: true;
    REQUEST_ID = "request_id" DataType::Utf8, nullable: true;
    RESPONSE_TIME_MS = "response_time_ms" DataType::UInt64, nullable: true;
    CHANGES = "changes" DataType::Utf8, nullable: true;
    METADATA = "metadata" DataType::Utf8, nullable: true;
    ID = "id" DataType::Utf8, nullable: true;
    KEY = "key" DataType::Utf8, nullable: true;
    SALTS = "salts" DataType::FixedSizeBinary(16), nullable: true;
    LOG_RECORD = "log_record" DataType::Utf8, nullable: true;
    REQUEST = "request" DataType::Binary, nullable: true;
}
