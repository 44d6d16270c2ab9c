//! What can be wrong with the policies that are built in.

/// The built-in policies are of no use: a fault of the program, found when it starts.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The schema does not say what Cedar understands.
    #[error("the policy schema is not valid: {0}")]
    Schema(String),
    /// A policy does not parse, has no id, or does not fit the schema.
    #[error("a built-in policy is not valid: {0}")]
    Policy(String),
}
