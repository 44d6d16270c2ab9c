//! The parts of BENCHMARKS.md that are measured in runs of their own, each between two comments that name it.

/// The page with one section in the place of an older one of that name, or added at its end.
pub(crate) fn replace(page: &str, name: &str, section: &str) -> String {
    let (begin, end) = marks(name);
    let section = format!("{begin}\n{}\n{end}\n", section.trim());
    match (page.find(&begin), page.find(&end)) {
        (Some(from), Some(to)) if from < to => {
            let before = page.get(..from).unwrap_or_default();
            let after = page.get(to + end.len()..).unwrap_or_default().trim_start_matches('\n');
            format!("{before}{section}{}{after}", if after.is_empty() { "" } else { "\n" })
        }
        _ => format!("{}\n\n{section}", page.trim_end()),
    }
}

/// The text of a section, if the page has it.
pub(crate) fn find<'p>(page: &'p str, name: &str) -> Option<&'p str> {
    let (begin, end) = marks(name);
    let (_, after) = page.split_once(&begin)?;
    after.split_once(&end).map(|(section, _)| section)
}

/// A new page with all sections of the old one behind it.
pub(crate) fn carry_over(old: &str, new: &str) -> String {
    let first = old.find("<!-- section ");
    let sections = first.and_then(|from| old.get(from..)).unwrap_or_default();
    if sections.is_empty() { new.to_owned() } else { format!("{}\n\n{sections}", new.trim_end()) }
}

fn marks(name: &str) -> (String, String) {
    (format!("<!-- section {name} -->"), format!("<!-- end {name} -->"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_added_replaced_and_carried_over() {
        let one = replace("# Page\n", "a", "first");
        let two = replace(&one, "b", "second");
        assert_eq!(
            two,
            "# Page\n\n<!-- section a -->\nfirst\n<!-- end a -->\n\n<!-- section b -->\nsecond\n<!-- end b -->\n"
        );
        assert_eq!((find(&two, "b"), find(&two, "c")), (Some("\nsecond\n"), None));
        let three = replace(&two, "a", "other");
        assert_eq!(three, two.replace("first", "other"));
        assert_eq!(carry_over(&three, "# New\n"), three.replace("# Page", "# New"));
        assert_eq!(carry_over("# Page\n", "# New\n"), "# New\n");
    }
}
