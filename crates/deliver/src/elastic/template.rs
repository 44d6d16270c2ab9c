//! The index template that an administrator puts into the cluster before events arrive.

use serde_json::{Value, json};

/// The body of `PUT /_index_template/acta`: a data stream whose fields are those of ECS, and which refuses as few events as
/// can be. `patterns` are the data streams it is for, such as `logs-acta.audit-*`.
pub fn index_template(patterns: &[&str]) -> Value {
    let keyword = json!({ "type": "keyword", "ignore_above": 1024 });
    let geo = json!({ "properties": {
        "location": { "type": "geo_point" }, "country_iso_code": keyword, "city_name": keyword,
    }});
    let user = json!({ "properties": { "id": keyword, "name": keyword, "email": keyword, "roles": keyword } });
    let mut acting = user.clone();
    acting["properties"]["target"] = user.clone();
    acting["properties"]["effective"] = user.clone();
    acting["properties"]["changes"] = user;
    json!({
        "index_patterns": patterns,
        "data_stream": {},
        // Above the cluster's own template for logs-*-*, which is 100.
        "priority": 500,
        "template": {
            "settings": {
                // A value that does not fit its field, or one field too many, must not cost the event: it stays in _source.
                "index.mapping.ignore_malformed": true,
                "index.mapping.total_fields.limit": 2000,
                "index.mapping.total_fields.ignore_dynamic_beyond_limit": true,
            },
            "mappings": {
                "date_detection": false,
                "dynamic_templates": [
                    { "strings": { "match_mapping_type": "string", "mapping": keyword } },
                ],
                "properties": {
                    "@timestamp": { "type": "date" },
                    "message": { "type": "match_only_text" },
                    "tags": keyword,
                    "labels": { "type": "flattened", "ignore_above": 1024 },
                    "ecs": { "properties": { "version": keyword } },
                    "event": { "properties": {
                        "id": keyword, "kind": keyword, "category": keyword, "type": keyword, "action": keyword,
                        "outcome": keyword, "reason": keyword, "dataset": keyword, "module": keyword, "provider": keyword,
                        "code": keyword, "created": { "type": "date" }, "ingested": { "type": "date" },
                        "duration": { "type": "long" }, "sequence": { "type": "long" }, "severity": { "type": "long" },
                        "original": { "type": "keyword", "index": false, "doc_values": false },
                    }},
                    "organization": { "properties": { "id": keyword, "name": keyword } },
                    "service": { "properties": { "name": keyword, "type": keyword, "environment": keyword } },
                    "user": acting,
                    "group": { "properties": { "id": keyword, "name": keyword } },
                    // Some applications record a name where an address should be.
                    "source": { "properties": {
                        "ip": { "type": "ip", "ignore_malformed": true }, "address": keyword, "geo": geo,
                    }},
                    "user_agent": { "properties": { "original": keyword, "name": keyword } },
                    "url": { "properties": { "full": keyword, "path": keyword } },
                    "http": { "properties": { "request": { "properties": { "id": keyword } } } },
                    "session": { "properties": { "id": keyword } },
                    "trace": { "properties": { "id": keyword } },
                    "related": { "properties": {
                        "user": keyword, "ip": { "type": "ip", "ignore_malformed": true }, "hosts": keyword,
                    }},
                    // Names that senders choose: one field, whatever is in it.
                    "acta": { "type": "flattened", "ignore_above": 8191 },
                },
            },
        },
    })
}
