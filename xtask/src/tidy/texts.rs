//! Which files are ours: those that git tracks or would track.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::Text;
use crate::tools;

/// All of them; those that are no text with an empty one.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<Text>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listed = tools::output(&mut git).context("tidy asks git which files are ours")?;
    let mut texts = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        let file = root.join(path);
        // Listed but gone, or a link to a folder: nothing to read.
        if !file.is_file() {
            continue;
        }
        let bytes = std::fs::read(&file).with_context(|| format!("could not read {path}"))?;
        // Golden files and pictures are there, and have nothing to be read.
        let text = String::from_utf8(bytes).unwrap_or_default();
        texts.push(Text { path: path.to_owned(), text });
    }
    texts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_ignores_is_not_ours() {
        let folder = std::env::temp_dir().join(format!("acta-tidy-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("crates/a")).unwrap();
        tools::output(Command::new("git").args(["init", "--quiet"]).current_dir(&folder)).unwrap();
        for (path, bytes) in [
            (".gitignore", b"/target\n".as_slice()),
            ("target", b"built"),
            ("crates/a/lib.rs", b"//! A.\n"),
            ("crates/a/golden.bin", b"\xff\xfe"),
        ] {
            tools::write(&folder.join(path), bytes).unwrap();
        }
        let paths: Vec<String> = read(&folder).unwrap().into_iter().map(|text| text.path).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(paths, [".gitignore", "crates/a/golden.bin", "crates/a/lib.rs"]);
    }
}
