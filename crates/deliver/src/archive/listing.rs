//! Names out of the XML of a listing: just the elements that are wanted, of stores whose answers are machine-made.

/// The texts of all elements `inner` within elements `outer`.
pub(crate) fn texts(xml: &str, outer: &str, inner: &str) -> Vec<String> {
    elements(xml, outer).filter_map(|within| elements(within, inner).next().map(unescaped)).collect()
}

/// The text of the first such element, if there is one and it is not empty.
pub(crate) fn text(xml: &str, name: &str) -> Option<String> {
    elements(xml, name).next().filter(|text| !text.is_empty()).map(unescaped)
}

/// What stands between the tags of such elements, which have no attributes and do not hold themselves.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (within, after) = after.split_once(&close)?;
        rest = after;
        Some(within)
    })
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = "<?xml version=\"1.0\"?><List><Prefix>top</Prefix><Next/><Token>a&amp;lt;b</Token>\
                       <Contents>\n <Key>one</Key><Size>1</Size></Contents><Contents><Key>two</Key></Contents>\
                       <CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes></List>";

    #[test]
    fn takes_what_is_asked_for() {
        assert_eq!(texts(XML, "Contents", "Key"), ["one", "two"]);
        assert_eq!(texts(XML, "CommonPrefixes", "Prefix"), ["d/"]);
        assert_eq!(text(XML, "Token").as_deref(), Some("a&lt;b"));
        assert_eq!(text(XML, "Next"), None);
    }
}
