//! Receivers that are not to be had for tests, made again from what is known of them: every limit, code and trap. They are strict
//! where the real ones are, and lose things where those do.

pub(crate) mod datadog;
pub(crate) mod http;
pub(crate) mod splunk;
pub(crate) mod sumo;
