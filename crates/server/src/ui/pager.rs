//! Which page, and the way to the others.

use super::links;
use super::page::thousands;
use crate::params::Given;

/// Links below a list. Those that would lead nowhere are `None`.
#[derive(Debug)]
pub(super) struct Pager {
    pub(super) first: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    pub(super) last: Option<String>,
    /// `Page 2 of 40 (1,999 total)`
    pub(super) position: String,
    /// Whether the page lies beyond the last.
    pub(super) beyond: bool,
    pub(super) page: String,
    pub(super) pages: String,
}

impl Pager {
    /// The links of page `page`, from 1.
    pub(super) fn new(given: &Given, page: u64, per_page: usize, total: u64) -> Pager {
        let pages = total.div_ceil(per_page as u64).max(1);
        let to = |condition: bool, page: u64| condition.then(|| links::page(given, page));
        Pager {
            first: to(page > 1, 1),
            previous: to(page > 1, (page - 1).min(pages)),
            next: to(page < pages, page.saturating_add(1)),
            last: to(page != pages, pages),
            position: format!("Page {} of {} ({} total)", thousands(page), thousands(pages), thousands(total)),
            beyond: page > pages,
            page: thousands(page),
            pages: thousands(pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_where_there_is_something() {
        let given = Given::parse(Some("q=x&page=3"));
        let tell = |page: u64, total: u64| {
            let pager = Pager::new(&given, page, 50, total);
            let link =
                |link: &Option<String>| link.as_deref().map_or("-", |link| link.trim_start_matches("/audit?q=x")).to_owned();
            let links = [&pager.first, &pager.previous, &pager.next, &pager.last].map(link).join(" ");
            format!("{} | {links} | {}", pager.position, pager.beyond)
        };
        expect_test::expect![[r#"
            Page 1 of 1 (0 total) | - - - - | false
            Page 1 of 1 (50 total) | - - - - | false
            Page 1 of 2 (51 total) | - - &page=2 &page=2 | false
            Page 2 of 3 (101 total) |   &page=3 &page=3 | false
            Page 9 of 2 (51 total) |  &page=2 - &page=2 | true
            Page 1 of 20,000 (1,000,000 total) | - - &page=2 &page=20000 | false"#]]
        .assert_eq(&[tell(1, 0), tell(1, 50), tell(1, 51), tell(2, 101), tell(9, 51), tell(1, 1_000_000)].join("\n"));
    }
}
