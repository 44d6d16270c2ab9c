//! Addresses within the pages.

use record::EventId;

use crate::params::Given;

/// The list of events.
pub(super) const LIST: &str = "/audit";

/// Where somebody sees to her own account.
pub(super) const ACCOUNT: &str = "/account";
/// Where she sets up her second factor.
pub(super) const SECOND_FACTOR: &str = "/account/second-factor";

/// Where she shows that it is still she, and what to show after.
pub(super) fn confirm(next: &str) -> String {
    format!("/confirm?{}", Given(vec![("next".to_owned(), next.to_owned())]).to_query())
}

/// The list with these parameters.
pub(super) fn list(given: &Given) -> String {
    let query = given.to_query();
    if query.is_empty() { LIST.to_owned() } else { format!("{LIST}?{query}") }
}

/// The list with these parameters and no others.
pub(super) fn list_of(pairs: &[(&str, &str)]) -> String {
    list(&Given(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()))
}

/// The same list on another page.
pub(super) fn page(given: &Given, page: u64) -> String {
    list(&given.with("page", (page > 1).then(|| page.to_string()).as_deref()))
}

/// The same list without one value of a parameter, from its first page.
pub(super) fn without(given: &Given, name: &str, value: &str) -> String {
    let keep = |(n, v): &&(String, String)| n != "page" && !(n == name && v == value);
    list(&Given(given.0.iter().filter(keep).cloned().collect()))
}

/// An event's own page; in the list's time zone, if that was chosen there.
pub(super) fn event(id: EventId, given: &Given) -> String {
    let zone = Given(given.0.iter().filter(|(name, value)| name == "tz" && !value.is_empty()).cloned().collect());
    let query = zone.to_query();
    if query.is_empty() { format!("{LIST}/{id}") } else { format!("{LIST}/{id}?{query}") }
}

/// Where to sign in, and what to show after.
pub(super) fn sign_in(next: Option<&str>) -> String {
    match next {
        None | Some("/" | LIST) => "/sign-in".to_owned(),
        Some(next) => format!("/sign-in?{}", Given(vec![("next".to_owned(), next.to_owned())]).to_query()),
    }
}

/// Where to go after signing in: a path of this site, or the list if what was asked for is anything else.
///
/// A browser takes `//host` and `/\host` for another site, and drops tabs and line ends before it looks.
pub(super) fn after_sign_in(next: Option<&str>) -> &str {
    let is_ours = |next: &&str| {
        let mut bytes = next.bytes();
        bytes.next() == Some(b'/')
            && !matches!(bytes.next(), Some(b'/' | b'\\'))
            && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
            && !next.starts_with("/sign-")
            && !next.starts_with("/confirm")
            && next.len() <= 4_096
    };
    next.filter(is_ours).unwrap_or(LIST)
}

/// The list as it was when an event was opened from it, by the address that the browser says it came from.
pub(super) fn back_to_list(referer: Option<&str>, host: Option<&str>) -> String {
    let path = referer.zip(host).and_then(|(referer, host)| {
        let (_, rest) = referer.split_once("://")?;
        rest.strip_prefix(host)
    });
    match path {
        Some(path) if path == LIST || path.starts_with("/audit?") => after_sign_in(Some(path)).to_owned(),
        _ => LIST.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_other_filters() {
        let given = Given::parse(Some("action=LOGIN&action=LOGOUT&team=ops&q=two+words&page=7&tz=Europe%2FBerlin"));
        let id = EventId::from_bytes([0; 16]);
        expect_test::expect![[r#"
            /audit?action=LOGIN&action=LOGOUT&team=ops&q=two+words&tz=Europe%2FBerlin&page=8
            /audit?action=LOGIN&action=LOGOUT&team=ops&q=two+words&tz=Europe%2FBerlin
            /audit?action=LOGOUT&team=ops&q=two+words&tz=Europe%2FBerlin
            /audit?action=LOGIN&action=LOGOUT&team=ops&tz=Europe%2FBerlin
            /audit/00000000-0000-0000-0000-000000000000?tz=Europe%2FBerlin
            /audit?ip=203.0.113.7"#]]
        .assert_eq(
            &[
                page(&given, 8),
                page(&given, 1),
                without(&given, "action", "LOGIN"),
                without(&given, "q", "two words"),
                event(id, &given),
                list_of(&[("ip", "203.0.113.7")]),
            ]
            .join("\n"),
        );
        assert_eq!(without(&Given::parse(Some("action=LOGIN&page=2")), "action", "LOGIN"), "/audit");
    }

    #[test]
    fn after_signing_in_nobody_lands_on_another_site() {
        for good in ["/audit", "/audit?q=a+b&page=2", "/audit/018f?fragment=1", "/"] {
            assert_eq!(after_sign_in(Some(good)), good);
        }
        for bad in [
            "",
            "audit",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/a\\b",
            "https://evil.example",
            "javascript:alert(1)",
            "/audit\r\nSet-Cookie: a=b",
            "/ä",
            "/sign-out",
            "/sign-in?next=/sign-in",
        ] {
            assert_eq!(after_sign_in(Some(bad)), "/audit", "{bad:?}");
        }
        assert_eq!(after_sign_in(None), "/audit");
        assert_eq!(sign_in(Some("/audit?q=a b&x=1")), "/sign-in?next=%2Faudit%3Fq%3Da+b%26x%3D1");
        assert_eq!(sign_in(Some("/")), "/sign-in");
    }

    #[test]
    fn back_leads_to_the_list_as_it_was() {
        let back = |referer| back_to_list(Some(referer), Some("acta.example"));
        assert_eq!(back("https://acta.example/audit?action=LOGIN&page=3"), "/audit?action=LOGIN&page=3");
        for other in
            ["https://evil.example/audit?x", "https://acta.example/audit/0190", "https://acta.example.evil/audit", "x"]
        {
            assert_eq!(back(other), "/audit", "{other}");
        }
        assert_eq!(back_to_list(None, Some("acta.example")), "/audit");
    }
}
