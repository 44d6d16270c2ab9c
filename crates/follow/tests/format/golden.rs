//! Every form, to the byte.

use expect_test::{Expect, expect};
use follow::Format;
use follow::format::cloud_events;

use crate::samples;

fn check(format: Format, expected: &Expect) {
    let mut told = String::new();
    for recorded in [samples::query(), samples::refused(), samples::grouped(), samples::strange()] {
        for line in samples::encode(format, &recorded) {
            // The compiler wants such characters written out, in a test as well.
            told += &line.replace(env!("CARGO_PKG_VERSION"), "<version>").replace('\u{202e}', "<202e>");
            told.push('\n');
        }
    }
    expected.assert_eq(&told);
}

#[test]
fn native() {
    check(
        Format::Native,
        &expect![[r#"
        {"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"QUERY_RUN","title":"Query run","catalog":"retool","category":"Queries","kind":"run","severity":"info","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","id":"order-4711-refund","team":"operations","actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64)","session_id":"s_1","request_id":"r_1"},"outcome":"success","response_time_ms":120,"changes":[{"field":"total","before":1.50,"after":{"cents":150}}],"metadata":{"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}},"key":"key_1"}
        {"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"LOGIN_FAILED","title":"Login failed","catalog":"retool","category":"Sign-in","kind":"sign-in","severity":"low","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"user","id":"u_42","email":"ada@example.com"},"targets":[],"context":{"ip":"bastion.example.com"},"metadata":{"reason":"INVALID_CREDENTIALS"}}
        {"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"ADD_USERS_TO_GROUP","title":"Users added to group","catalog":"retool","category":"Groups","kind":"permission","severity":"high","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}],"context":{"ip":"2001:db8::7"},"outcome":"denied"}
        {"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"door.opened","title":"door.opened","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"badge","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"door","id":"d|1=\\2","name":"Front\ndoor<202e>\t"}]}
    "#]],
    );
}

#[test]
fn retool() {
    check(
        Format::Retool,
        &expect![[r#"
        {"actionType":"QUERY_RUN","userId":"u_42","ipAddress":"203.0.113.7","pageName":"Refunds","queryName":"getOrders","resourceName":"orders-db","responseTimeMs":120,"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"QUERY_RUN","title":"Query run","catalog":"retool","category":"Queries","kind":"run","severity":"info","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","id":"order-4711-refund","team":"operations","actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64)","session_id":"s_1","request_id":"r_1"},"outcome":"success","response_time_ms":120,"changes":[{"field":"total","before":1.50,"after":{"cents":150}}],"metadata":{"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}},"key":"key_1"}
        {"actionType":"LOGIN_FAILED","userId":"u_42","ipAddress":"bastion.example.com","pageName":null,"queryName":null,"resourceName":null,"responseTimeMs":null,"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"LOGIN_FAILED","title":"Login failed","catalog":"retool","category":"Sign-in","kind":"sign-in","severity":"low","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"user","id":"u_42","email":"ada@example.com"},"targets":[],"context":{"ip":"bastion.example.com"},"metadata":{"reason":"INVALID_CREDENTIALS"}}
        {"actionType":"ADD_USERS_TO_GROUP","userId":"u_42","ipAddress":"2001:db8::7","pageName":null,"queryName":null,"resourceName":null,"responseTimeMs":null,"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"ADD_USERS_TO_GROUP","title":"Users added to group","catalog":"retool","category":"Groups","kind":"permission","severity":"high","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}],"context":{"ip":"2001:db8::7"},"outcome":"denied","metadata":null}
        {"actionType":"door.opened","userId":"u_42","ipAddress":null,"pageName":null,"queryName":null,"resourceName":null,"responseTimeMs":null,"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"door.opened","title":"door.opened","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"badge","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"door","id":"d|1=\\2","name":"Front\ndoor<202e>\t"}],"metadata":null}
    "#]],
    );
}

#[test]
fn ocsf() {
    check(
        Format::Ocsf,
        &expect![[r#"
            {"activity_id":4,"activity_name":"Query","category_uid":6,"category_name":"Application Activity","class_uid":6005,"class_name":"Datastore Activity","type_uid":600504,"severity_id":1,"severity":"Informational","status_id":1,"status":"Success","time":1795212270123,"duration":120,"message":"Query run","metadata":{"version":"1.8.0","product":{"name":"Acta","vendor_name":"Acta","version":"<version>"},"uid":"01a1fafd-5d98-7001-8909-090909090909","event_code":"QUERY_RUN","sequence":4711,"log_name":"audit","logged_time":1795212271000,"original_time":"2026-11-20T22:04:30.123Z","tenant_uid":"7","profiles":["host"]},"actor":{"user":{"uid":"u_42","name":"Ada \"Lovelace\"","type_id":1,"type":"user","email_addr":"ada@example.com"},"session":{"uid":"s_1"}},"src_endpoint":{"ip":"203.0.113.7"},"http_request":{"uid":"r_1","user_agent":"Mozilla/5.0 (X11; Linux x86_64)"},"database":{"uid":"res_orders","name":"orders-db","type_id":99,"type":"resource"},"query_info":{"name":"getOrders","query_string":"select *\nfrom orders where a = 'x|y'"},"unmapped":{"organization":"Fernweh Outdoor","category":"Queries","kind":"run","id":"order-4711-refund","team":"operations","targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}],"changes":[{"field":"total","before":1.50,"after":{"cents":150}}],"metadata":{"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}},"key":"key_1"}}
            {"activity_id":1,"activity_name":"Logon","category_uid":3,"category_name":"Identity & Access Management","class_uid":3002,"class_name":"Authentication","type_uid":300201,"severity_id":2,"severity":"Low","status_id":2,"status":"Failure","status_code":"failure","status_detail":"INVALID_CREDENTIALS","time":1795212270123,"message":"Login failed","metadata":{"version":"1.8.0","product":{"name":"Acta","vendor_name":"Acta","version":"<version>"},"uid":"01a1fafd-5d98-7001-8909-090909090909","event_code":"LOGIN_FAILED","sequence":4711,"log_name":"audit","logged_time":1795212271000,"original_time":"2026-11-20T22:04:30.123Z","tenant_uid":"7","profiles":["host"]},"actor":{"user":{"uid":"u_42","type_id":1,"type":"user","email_addr":"ada@example.com"}},"src_endpoint":{"hostname":"bastion.example.com"},"user":{"uid":"u_42","type_id":1,"type":"user","email_addr":"ada@example.com"},"service":{"name":"Fernweh Outdoor"},"unmapped":{"organization":"Fernweh Outdoor","category":"Sign-in","kind":"sign-in","ip":"bastion.example.com","metadata":{"reason":"INVALID_CREDENTIALS"}}}
            {"activity_id":3,"activity_name":"Add User","category_uid":3,"category_name":"Identity & Access Management","class_uid":3006,"class_name":"Group Management","type_uid":300603,"severity_id":4,"severity":"High","status_id":2,"status":"Failure","status_code":"denied","time":1795212270123,"message":"Users added to group","metadata":{"version":"1.8.0","product":{"name":"Acta","vendor_name":"Acta","version":"<version>"},"uid":"01a1fafd-5d98-7001-8909-090909090909","correlation_uid":"01a1fafd-5d98-7001-8909-090909090909","event_code":"ADD_USERS_TO_GROUP","sequence":4711,"log_name":"audit","logged_time":1795212271000,"original_time":"2026-11-20T22:04:30.123Z","tenant_uid":"7","profiles":["host"]},"actor":{"user":{"uid":"u_42","name":"Ada \"Lovelace\"","type_id":1,"type":"user","email_addr":"ada@example.com"}},"src_endpoint":{"ip":"2001:db8::7"},"group":{"uid":"g_1","name":"Analysts","type":"group"},"user":{"uid":"u_1","name":"Grace","type_id":1,"type":"user"},"unmapped":{"organization":"Fernweh Outdoor","category":"Groups","kind":"permission","targets":[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}]}}
            {"activity_id":3,"activity_name":"Add User","category_uid":3,"category_name":"Identity & Access Management","class_uid":3006,"class_name":"Group Management","type_uid":300603,"severity_id":4,"severity":"High","status_id":2,"status":"Failure","status_code":"denied","time":1795212270123,"message":"Users added to group","metadata":{"version":"1.8.0","product":{"name":"Acta","vendor_name":"Acta","version":"<version>"},"uid":"01a1fafd-5d98-7001-8909-090909090909-1","correlation_uid":"01a1fafd-5d98-7001-8909-090909090909","event_code":"ADD_USERS_TO_GROUP","sequence":4711,"log_name":"audit","logged_time":1795212271000,"original_time":"2026-11-20T22:04:30.123Z","tenant_uid":"7","profiles":["host"]},"actor":{"user":{"uid":"u_42","name":"Ada \"Lovelace\"","type_id":1,"type":"user","email_addr":"ada@example.com"}},"src_endpoint":{"ip":"2001:db8::7"},"group":{"uid":"g_1","name":"Analysts","type":"group"},"user":{"name":"Alan","type_id":1,"type":"user"},"unmapped":{"organization":"Fernweh Outdoor"}}
            {"activity_id":7,"activity_name":"Add Subgroup","category_uid":3,"category_name":"Identity & Access Management","class_uid":3006,"class_name":"Group Management","type_uid":300607,"severity_id":4,"severity":"High","status_id":2,"status":"Failure","status_code":"denied","time":1795212270123,"message":"Users added to group","metadata":{"version":"1.8.0","product":{"name":"Acta","vendor_name":"Acta","version":"<version>"},"uid":"01a1fafd-5d98-7001-8909-090909090909-2","correlation_uid":"01a1fafd-5d98-7001-8909-090909090909","event_code":"ADD_USERS_TO_GROUP","sequence":4711,"log_name":"audit","logged_time":1795212271000,"original_time":"2026-11-20T22:04:30.123Z","tenant_uid":"7","profiles":["host"]},"actor":{"user":{"uid":"u_42","name":"Ada \"Lovelace\"","type_id":1,"type":"user","email_addr":"ada@example.com"}},"src_endpoint":{"ip":"2001:db8::7"},"group":{"uid":"g_1","name":"Analysts","type":"group"},"subgroup":{"uid":"g_2","name":"Interns","type":"group"},"unmapped":{"organization":"Fernweh Outdoor"}}
            {"activity_id":99,"activity_name":"door.opened","category_uid":6,"category_name":"Application Activity","class_uid":6003,"class_name":"API Activity","type_uid":600399,"severity_id":0,"severity":"Unknown","status_id":0,"status":"Unknown","time":1795212270123,"message":"door.opened","metadata":{"version":"1.8.0","product":{"name":"Acta","vendor_name":"Acta","version":"<version>"},"uid":"01a1fafd-5d98-7001-8909-090909090909","event_code":"door.opened","sequence":4711,"log_name":"audit","logged_time":1795212271000,"original_time":"2026-11-20T22:04:30.123Z","tenant_uid":"7","profiles":["host"]},"actor":{"user":{"uid":"u_42","name":"Ada \"Lovelace\"","type_id":99,"type":"badge","email_addr":"ada@example.com"}},"src_endpoint":{"name":"unknown"},"api":{"operation":"door.opened"},"resources":[{"uid":"d|1=\\2","name":"Front\ndoor<202e>\t","type":"door"}],"unmapped":{"organization":"Fernweh Outdoor","targets":[{"type":"door","id":"d|1=\\2","name":"Front\ndoor<202e>\t"}]}}
        "#]],
    );
}

#[test]
fn ecs() {
    check(
        Format::Ecs,
        &expect![[r#"
        {"@timestamp":"2026-11-20T22:04:30.123Z","ecs":{"version":"9.4.0"},"message":"Query run","event":{"id":"01a1fafd-5d98-7001-8909-090909090909","kind":"event","action":"QUERY_RUN","category":["database"],"type":["access"],"outcome":"success","module":"acta","provider":"acta","dataset":"acta.audit","sequence":4711,"created":"2026-11-20T22:04:31.000Z","severity":1,"duration":120000000},"organization":{"id":"7","name":"Fernweh Outdoor"},"service":{"name":"acta-audit","type":"acta"},"user":{"id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"source":{"address":"203.0.113.7","ip":"203.0.113.7"},"user_agent":{"original":"Mozilla/5.0 (X11; Linux x86_64)"},"http":{"request":{"id":"r_1"}},"related":{"ip":["203.0.113.7"],"user":["Ada \"Lovelace\"","ada@example.com","u_42"]},"acta":{"catalog":"retool","category":"Queries","kind":"run","severity":"info","outcome":"success","id":"order-4711-refund","team":"operations","actor_type":"user","session_id":"s_1","targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}],"changes":[{"field":"total","before":1.50,"after":{"cents":150}}],"metadata":{"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}},"key":"key_1"}}
        {"@timestamp":"2026-11-20T22:04:30.123Z","ecs":{"version":"9.4.0"},"message":"Login failed","event":{"id":"01a1fafd-5d98-7001-8909-090909090909","kind":"event","action":"LOGIN_FAILED","category":["authentication"],"type":["start"],"outcome":"failure","reason":"INVALID_CREDENTIALS","module":"acta","provider":"acta","dataset":"acta.audit","sequence":4711,"created":"2026-11-20T22:04:31.000Z","severity":3},"organization":{"id":"7","name":"Fernweh Outdoor"},"service":{"name":"acta-audit","type":"acta"},"user":{"id":"u_42","email":"ada@example.com"},"source":{"address":"bastion.example.com"},"related":{"user":["ada@example.com","u_42"]},"acta":{"catalog":"retool","category":"Sign-in","kind":"sign-in","severity":"low","actor_type":"user","metadata":{"reason":"INVALID_CREDENTIALS"}}}
        {"@timestamp":"2026-11-20T22:04:30.123Z","ecs":{"version":"9.4.0"},"message":"Users added to group","event":{"id":"01a1fafd-5d98-7001-8909-090909090909","kind":"event","action":"ADD_USERS_TO_GROUP","category":["iam"],"type":["group","change"],"outcome":"failure","module":"acta","provider":"acta","dataset":"acta.audit","sequence":4711,"created":"2026-11-20T22:04:31.000Z","severity":8},"organization":{"id":"7","name":"Fernweh Outdoor"},"service":{"name":"acta-audit","type":"acta"},"user":{"id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com","target":{"id":"u_1","name":"Grace"}},"group":{"id":"g_1","name":"Analysts"},"source":{"address":"2001:db8::7","ip":"2001:db8::7"},"related":{"ip":["2001:db8::7"],"user":["Ada \"Lovelace\"","Alan","Grace","ada@example.com","u_1","u_42"]},"acta":{"catalog":"retool","category":"Groups","kind":"permission","severity":"high","outcome":"denied","actor_type":"user","targets":[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}]}}
        {"@timestamp":"2026-11-20T22:04:30.123Z","ecs":{"version":"9.4.0"},"message":"door.opened","event":{"id":"01a1fafd-5d98-7001-8909-090909090909","kind":"event","action":"door.opened","category":["api"],"type":["info"],"outcome":"unknown","module":"acta","provider":"acta","dataset":"acta.audit","sequence":4711,"created":"2026-11-20T22:04:31.000Z","severity":0},"organization":{"id":"7","name":"Fernweh Outdoor"},"service":{"name":"acta-audit","type":"acta"},"user":{"id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"related":{"user":["Ada \"Lovelace\"","ada@example.com","u_42"]},"acta":{"actor_type":"badge","targets":[{"type":"door","id":"d|1=\\2","name":"Front\ndoor<202e>\t"}]}}
    "#]],
    );
}

#[test]
fn cloudevents() {
    check(
        Format::CloudEvents,
        &expect![[r#"
        {"specversion":"1.0","id":"01a1fafd-5d98-7001-8909-090909090909","source":"/organizations/Fernweh%20Outdoor","type":"acta.audit.QUERY_RUN","time":"2026-11-20T22:04:30.123Z","datacontenttype":"application/json","subject":"resource/res_orders","data":{"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"QUERY_RUN","title":"Query run","catalog":"retool","category":"Queries","kind":"run","severity":"info","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","id":"order-4711-refund","team":"operations","actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}],"context":{"ip":"203.0.113.7","user_agent":"Mozilla/5.0 (X11; Linux x86_64)","session_id":"s_1","request_id":"r_1"},"outcome":"success","response_time_ms":120,"changes":[{"field":"total","before":1.50,"after":{"cents":150}}],"metadata":{"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}},"key":"key_1"}}
        {"specversion":"1.0","id":"01a1fafd-5d98-7001-8909-090909090909","source":"/organizations/Fernweh%20Outdoor","type":"acta.audit.LOGIN_FAILED","time":"2026-11-20T22:04:30.123Z","datacontenttype":"application/json","data":{"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"LOGIN_FAILED","title":"Login failed","catalog":"retool","category":"Sign-in","kind":"sign-in","severity":"low","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"user","id":"u_42","email":"ada@example.com"},"targets":[],"context":{"ip":"bastion.example.com"},"metadata":{"reason":"INVALID_CREDENTIALS"}}}
        {"specversion":"1.0","id":"01a1fafd-5d98-7001-8909-090909090909","source":"/organizations/Fernweh%20Outdoor","type":"acta.audit.ADD_USERS_TO_GROUP","time":"2026-11-20T22:04:30.123Z","datacontenttype":"application/json","subject":"group/g_1","data":{"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"ADD_USERS_TO_GROUP","title":"Users added to group","catalog":"retool","category":"Groups","kind":"permission","severity":"high","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"user","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}],"context":{"ip":"2001:db8::7"},"outcome":"denied"}}
        {"specversion":"1.0","id":"01a1fafd-5d98-7001-8909-090909090909","source":"/organizations/Fernweh%20Outdoor","type":"acta.audit.door.opened","time":"2026-11-20T22:04:30.123Z","datacontenttype":"application/json","subject":"door/d|1=\\2","data":{"event_id":"01a1fafd-5d98-7001-8909-090909090909","index":4711,"organization":"Fernweh Outdoor","action":"door.opened","title":"door.opened","occurred_at":"2026-11-20T22:04:30.123Z","recorded_at":"2026-11-20T22:04:31.000Z","actor":{"type":"badge","id":"u_42","name":"Ada \"Lovelace\"","email":"ada@example.com"},"targets":[{"type":"door","id":"d|1=\\2","name":"Front\ndoor<202e>\t"}]}}
    "#]],
    );
}

#[test]
fn cef() {
    check(
        Format::Cef,
        &expect![[r#"
        CEF:0|Acta|Acta|<version>|QUERY_RUN|Query run|1|externalId=01a1fafd-5d98-7001-8909-090909090909 rt=1795212271000 start=1795212270123 cat=Queries act=QUERY_RUN outcome=success suid=u_42 suser=Ada "Lovelace" src=203.0.113.7 requestClientApplication=Mozilla/5.0 (X11; Linux x86_64) cn1Label=index cn1=4711 cn2Label=responseTimeMs cn2=120 cs1Label=organization cs1=Fernweh Outdoor cs2Label=team cs2=operations cs3Label=targets cs3=[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}] cs4Label=changes cs4=[{"field":"total","before":1.50,"after":{"cents":150}}] cs5Label=metadata cs5={"query":"select *\\nfrom orders where a \= 'x|y'","params":{"n":1.50}} cs6Label=more cs6={"actor_type":"user","actor_email":"ada@example.com","id":"order-4711-refund","key":"key_1"} flexString1Label=session flexString1=s_1 flexString2Label=request flexString2=r_1
        CEF:0|Acta|Acta|<version>|LOGIN_FAILED|Login failed|3|externalId=01a1fafd-5d98-7001-8909-090909090909 rt=1795212271000 start=1795212270123 cat=Sign-in act=LOGIN_FAILED outcome=failure reason=INVALID_CREDENTIALS suid=u_42 suser=ada@example.com shost=bastion.example.com cn1Label=index cn1=4711 cs1Label=organization cs1=Fernweh Outdoor cs5Label=metadata cs5={"reason":"INVALID_CREDENTIALS"} cs6Label=more cs6={"actor_type":"user","actor_email":"ada@example.com"}
        CEF:0|Acta|Acta|<version>|ADD_USERS_TO_GROUP|Users added to group|8|externalId=01a1fafd-5d98-7001-8909-090909090909 rt=1795212271000 start=1795212270123 cat=Groups act=ADD_USERS_TO_GROUP outcome=denied suid=u_42 suser=Ada "Lovelace" c6a2Label=Source IPv6 Address c6a2=2001:db8::7 duid=u_1 duser=Grace cn1Label=index cn1=4711 cs1Label=organization cs1=Fernweh Outdoor cs3Label=targets cs3=[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}] cs6Label=more cs6={"actor_type":"user","actor_email":"ada@example.com"}
        CEF:0|Acta|Acta|<version>|door.opened|door.opened|0|externalId=01a1fafd-5d98-7001-8909-090909090909 rt=1795212271000 start=1795212270123 act=door.opened suid=u_42 suser=Ada "Lovelace" cn1Label=index cn1=4711 cs1Label=organization cs1=Fernweh Outdoor cs3Label=targets cs3=[{"type":"door","id":"d|1\=\\\\2","name":"Front\\ndoor\\u202e\\t"}] cs6Label=more cs6={"actor_type":"badge","actor_email":"ada@example.com"}
    "#]],
    );
}

#[test]
fn leef() {
    check(
        Format::Leef,
        &expect![[r#"
            LEEF:2.0|Acta|Acta|<version>|QUERY_RUN|x09|devTime=2026-11-20T22:04:30.123+0000	devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ	cat=Queries	sev=1	usrName=Ada "Lovelace"	src=203.0.113.7	resource=orders-db	eventId=01a1fafd-5d98-7001-8909-090909090909	index=4711	organization=Fernweh Outdoor	title=Query run	recordedAt=2026-11-20T22:04:31.000Z	outcome=success	actorType=user	actorId=u_42	actorEmail=ada@example.com	senderId=order-4711-refund	team=operations	sessionId=s_1	requestId=r_1	userAgent=Mozilla/5.0 (X11; Linux x86_64)	responseTimeMs=120	targets=[{"type":"page","id":"refunds","name":"Refunds"},{"type":"query","name":"getOrders"},{"type":"resource","id":"res_orders","name":"orders-db","environment":"production"}]	changes=[{"field":"total","before":1.50,"after":{"cents":150}}]	metadata={"query":"select *\nfrom orders where a = 'x|y'","params":{"n":1.50}}	key=key_1
            LEEF:2.0|Acta|Acta|<version>|LOGIN_FAILED|x09|devTime=2026-11-20T22:04:30.123+0000	devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ	cat=Sign-in	sev=3	usrName=ada@example.com	srcHost=bastion.example.com	eventId=01a1fafd-5d98-7001-8909-090909090909	index=4711	organization=Fernweh Outdoor	title=Login failed	recordedAt=2026-11-20T22:04:31.000Z	outcome=failure	reason=INVALID_CREDENTIALS	actorType=user	actorId=u_42	actorEmail=ada@example.com	metadata={"reason":"INVALID_CREDENTIALS"}
            LEEF:2.0|Acta|Acta|<version>|ADD_USERS_TO_GROUP|x09|devTime=2026-11-20T22:04:30.123+0000	devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ	cat=Groups	sev=8	usrName=Ada "Lovelace"	src=2001:db8::7	resource=Analysts	accountName=Grace	eventId=01a1fafd-5d98-7001-8909-090909090909	index=4711	organization=Fernweh Outdoor	title=Users added to group	recordedAt=2026-11-20T22:04:31.000Z	outcome=denied	actorType=user	actorId=u_42	actorEmail=ada@example.com	targets=[{"type":"group","id":"g_1","name":"Analysts"},{"type":"user","id":"u_1","name":"Grace"},{"type":"user","name":"Alan"},{"type":"group","id":"g_2","name":"Interns"}]
            LEEF:2.0|Acta|Acta|<version>|door.opened|x09|devTime=2026-11-20T22:04:30.123+0000	devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ	sev=1	usrName=Ada "Lovelace"	resource=Front\ndoor\u202e\t	eventId=01a1fafd-5d98-7001-8909-090909090909	index=4711	organization=Fernweh Outdoor	title=door.opened	recordedAt=2026-11-20T22:04:31.000Z	actorType=badge	actorId=u_42	actorEmail=ada@example.com	targets=[{"type":"door","id":"d|1=\\2","name":"Front\ndoor\u202e\t"}]
        "#]],
    );
}

#[test]
fn attributes_for_headers() {
    let mut told = String::new();
    for (name, value) in cloud_events::attributes(&samples::strange()) {
        told += &format!("{name}: {value} · {}\n", cloud_events::header_value(&value));
    }
    expect![[r#"
        specversion: 1.0 · 1.0
        id: 01a1fafd-5d98-7001-8909-090909090909 · 01a1fafd-5d98-7001-8909-090909090909
        source: /organizations/Fernweh%20Outdoor · /organizations/Fernweh%2520Outdoor
        type: acta.audit.door.opened · acta.audit.door.opened
        time: 2026-11-20T22:04:30.123Z · 2026-11-20T22:04:30.123Z
        datacontenttype: application/json · application/json
        subject: door/d|1=\2 · door/d|1=\2
    "#]]
    .assert_eq(&told);
}

#[test]
fn names_are_those_of_settings() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.as_str()), Some(format));
        assert_eq!(serde_json::to_value(format).unwrap(), format.as_str());
        assert_eq!(serde_json::from_value::<Format>(format.as_str().into()).unwrap(), format);
    }
    assert_eq!(Format::parse("xml"), None);
}
