//! The table and the data collection rule that an administrator makes before events arrive.

use serde_json::{Value, json};

/// The table's usual name.
const TABLE: &str = "ActaAudit_CL";
/// The stream of the rule that goes into it.
pub(super) const STREAM: &str = "Custom-ActaAudit_CL";

/// Names, types in the table, types in the stream.
const COLUMNS: [(&str, &str); 10] = [
    ("TimeGenerated", "datetime"),
    ("EventId", "string"),
    ("Part", "int"),
    ("LogIndex", "long"),
    ("Organization", "string"),
    ("Action", "string"),
    ("Outcome", "string"),
    ("Event", "dynamic"),
    ("EventText", "string"),
    ("Shortened", "boolean"),
];

fn columns() -> Vec<Value> {
    COLUMNS.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect()
}

/// The body of `PUT …/workspaces/<workspace>/tables/ActaAudit_CL?api-version=2022-10-01`.
pub fn table() -> Value {
    json!({ "properties": { "schema": { "name": TABLE, "columns": columns() } } })
}

/// The body of `PUT …/dataCollectionRules/<rule>?api-version=2023-03-11`: the stream, and that it goes into the table of
/// this workspace (its resource id) as it comes.
pub fn collection_rule(region: &str, workspace: &str) -> Value {
    json!({
        "location": region,
        // The rule gets an endpoint of its own.
        "kind": "Direct",
        "properties": {
            "streamDeclarations": { STREAM: { "columns": columns() } },
            "destinations": { "logAnalytics": [{ "workspaceResourceId": workspace, "name": "workspace" }] },
            "dataFlows": [{
                "streams": [STREAM],
                "destinations": ["workspace"],
                "transformKql": "source",
                "outputStream": STREAM,
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_names_that_are_taken() {
        // "Custom table column names", Azure Monitor: letters, digits and _, up to 45 characters, and none of these.
        let reserved = ["id", "BilledSize", "IsBillable", "InvalidTimeGenerated", "TenantId", "Title", "Type", "UniqueId"];
        for (name, _) in COLUMNS {
            assert!(
                name.len() <= 45 && name.chars().all(|c| c.is_ascii_alphanumeric()) && !reserved.contains(&name),
                "{name}"
            );
        }
        assert!(COLUMNS.contains(&("TimeGenerated", "datetime")));
        assert!(STREAM == format!("Custom-{TABLE}") && TABLE.ends_with("_CL"));
    }
}
