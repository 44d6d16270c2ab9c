//! Writes JSON straight into one buffer: no tree of values, and no number or string read twice.

use std::io::Write;

use record::Json;

/// An object that is being written. Names are constants of the program: nothing in them needs an escape.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// Writes one object; its members come from `fill`.
pub(crate) fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, empty: true });
    out.push(b'}');
}

/// Writes an array, each item by `one`.
pub(crate) fn array<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut one: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        one(out, item);
    }
    out.push(b']');
}

/// An array of objects as a text of its own.
pub(crate) fn list<T>(items: &[T], fill: impl Fn(&mut Object<'_>, &T)) -> String {
    let mut out = Vec::new();
    array(&mut out, items, |out, item| object(out, |o| fill(o, item)));
    // Whatever goes in is text, so this copies nothing away.
    String::from_utf8_lossy(&out).into_owned()
}

impl Object<'_> {
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.empty { b"\"" } else { b",\"" });
        self.empty = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        quote(self.name(name), value);
    }

    /// A string, if there is one.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Something that prints as ASCII without quotes and backslashes, as a string: an id, a time.
    pub(crate) fn plain(&mut self, name: &str, value: impl std::fmt::Display) {
        let out = self.name(name);
        out.push(b'"');
        print(out, value);
        out.push(b'"');
    }

    /// Something that prints as a JSON number or literal.
    pub(crate) fn bare(&mut self, name: &str, value: impl std::fmt::Display) {
        print(self.name(name), value);
    }

    /// A JSON value that was checked when it came in.
    pub(crate) fn json(&mut self, name: &str, value: &Json) {
        self.name(name).extend_from_slice(value.as_str().as_bytes());
    }

    /// An object.
    pub(crate) fn object(&mut self, name: &str, fill: impl FnOnce(&mut Object<'_>)) {
        object(self.name(name), fill);
    }

    /// An array of strings.
    pub(crate) fn texts<'t>(&mut self, name: &str, values: impl IntoIterator<Item = &'t str>) {
        array(self.name(name), values, quote);
    }

    /// An array of objects.
    pub(crate) fn objects<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, fill: impl Fn(&mut Object<'_>, T)) {
        array(self.name(name), items, |out, item| object(out, |o| fill(o, item)));
    }
}

fn print(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _written = write!(out, "{value}");
}

/// For each byte: 0 if it stands for itself in a string, else the letter after the backslash.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[0x22] = b'"';
    table[0x5c] = b'\\';
    table
};

/// Writes a JSON string: the shortest escapes, everything else as it is, as `serde_json` does.
pub(crate) fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| ESCAPES[usize::from(byte)] != 0) {
        let (before, from) = rest.split_at(at);
        out.extend_from_slice(before);
        let Some((&byte, after)) = from.split_first() else { break };
        match ESCAPES[usize::from(byte)] {
            b'u' => print(out, format_args!("\\u{byte:04x}")),
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
