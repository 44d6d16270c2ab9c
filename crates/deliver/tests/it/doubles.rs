//! Receivers that are not to be had for tests, made again from what is known of them: every limit, code and trap. They are
//! strict where the real ones are, and lose things where those do.

pub(crate) mod bucket;
pub(crate) mod datadog;
pub(crate) mod elastic;
pub(crate) mod http;
pub(crate) mod panther;
pub(crate) mod secops;
pub(crate) mod sentinel;
pub(crate) mod splunk;
pub(crate) mod sumo;
pub(crate) mod token;
