//! Connections to the outside: the only place that makes them.
