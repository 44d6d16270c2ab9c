//! Words of texts, so that a text search need not read texts.
//!
//! A text is cut into tokens: runs of letters and digits, as long as they are. A searched word without other characters stands
//! in a text if and only if it stands in one of its tokens, so lists of the rows of each token answer it exactly, by looking
//! through the different tokens. Two cases are left, where the rows found must be read to be sure:
//!
//! - a word with other characters in it, such as `get-orders`: its pieces must stand in the text, but maybe not side by side;
//! - tokens that are different in every event, such as request ids. Lists of those would be larger than the events. They are
//!   *opaque*: only in which rows there are any is known, which three letters follow each other in them, and the longer runs of
//!   letters in them, so that a word of letters is never in doubt.

/// A token with a digit is opaque from this length on, in bytes.
const OPAQUE_LEN: usize = 6;
/// Every token is, above this length.
const TOKEN_LEN_MAX: usize = 40;
/// Runs of letters within opaque tokens are listed from this length on, in characters.
const RUN_LEN: usize = 4;

/// The tokens of a text in lower case.
pub(crate) fn tokens(lower: &str) -> impl Iterator<Item = &str> {
    lower.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty())
}

/// Whether a token has no list.
pub(crate) fn is_opaque(token: &str) -> bool {
    token.len() > TOKEN_LEN_MAX || token.len() >= OPAQUE_LEN && token.contains(char::is_numeric)
}

/// The runs of letters in an opaque token that are listed in its stead.
pub(crate) fn runs_of_letters(token: &str) -> impl Iterator<Item = &str> {
    token.split(char::is_numeric).filter(|run| run.chars().nth(RUN_LEN - 1).is_some())
}

/// Whether a word could be part of an opaque token without being part of a run of letters that is listed.
pub(crate) fn may_be_opaque(piece: &str) -> bool {
    piece.contains(char::is_numeric) || piece.chars().nth(RUN_LEN - 1).is_none()
}

/// Which three bytes follow each other in some tokens.
#[derive(Debug, Default)]
pub(crate) struct Grams(Vec<u8>);

/// Letters, digits, and all else.
const CLASSES: usize = 37;
const GRAMS_BYTES: usize = (CLASSES * CLASSES * CLASSES).div_ceil(8);

fn class(byte: u8) -> usize {
    usize::from(match byte {
        b'a'..=b'z' => byte - b'a',
        b'0'..=b'9' => byte - b'0' + 26,
        _ => 36,
    })
}

fn grams(text: &str) -> impl Iterator<Item = usize> + '_ {
    text.as_bytes().windows(3).map(|gram| gram.iter().fold(0, |number, byte| number * CLASSES + class(*byte)))
}

impl Grams {
    pub(crate) fn add(&mut self, token: &str) {
        self.0.resize(GRAMS_BYTES, 0);
        for gram in grams(token) {
            if let Some(byte) = self.0.get_mut(gram / 8) {
                *byte |= 1 << (gram % 8);
            }
        }
    }

    /// Adds what others have.
    pub(crate) fn or(&mut self, other: &Grams) {
        self.0.resize(GRAMS_BYTES, 0);
        self.0.iter_mut().zip(&other.0).for_each(|(byte, other)| *byte |= other);
    }

    /// The bytes; `None` if no token was added.
    pub(crate) fn bytes(self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then_some(self.0)
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Grams> {
        (bytes.len() == GRAMS_BYTES).then(|| Grams(bytes.to_vec()))
    }

    /// Whether some token may have this in it.
    pub(crate) fn may_have(&self, piece: &str) -> bool {
        grams(piece).all(|gram| self.0.get(gram / 8).is_some_and(|byte| byte >> (gram % 8) & 1 == 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the lists of a text say of a word: `Some` for certain, `None` where the text must be read.
    fn answer(text: &str, word: &str) -> Option<bool> {
        let mut letters = Grams::default();
        let (mut listed, mut opaque) = (Vec::new(), false);
        for token in tokens(text) {
            if is_opaque(token) {
                opaque = true;
                letters.add(token);
                listed.extend(runs_of_letters(token));
            } else {
                listed.push(token);
            }
        }
        let whole = word.chars().all(char::is_alphanumeric);
        let piece = |piece: &str| listed.iter().any(|token| token.contains(piece));
        let doubt = |piece: &str| opaque && may_be_opaque(piece) && letters.may_have(piece);
        if whole {
            if piece(word) { Some(true) } else { (!doubt(word)).then_some(false) }
        } else {
            let possible = tokens(word).all(|it| piece(it) || doubt(it));
            (!possible).then_some(false)
        }
    }

    proptest! {
        /// Where the lists are sure, they are right.
        #[test]
        fn lists_are_never_wrong(
            text in "([a-c0-3é-]{1,4}|[a-c0-2]{6,9}|abcabca|deadbeef[0-9]{8})( ([a-c0-3é-]{1,4}|[a-c0-2]{6,9}|abc))*",
            word in "[a-c0-2é-]{1,5}",
        ) {
            let truth = text.contains(&word);
            prop_assert!(answer(&text, &word).is_none_or(|said| said == truth), "{text:?} {word:?}");
        }
    }

    #[test]
    fn ordinary_words_leave_no_doubt() {
        let text = "the 3rd refund of order 3fa85f6457174562b3fc2c963f66afa6, u_00042";
        for (word, there) in [("refund", true), ("fund", true), ("orders", false), ("3rd", true), ("invoice", false)] {
            assert_eq!(answer(text, word), Some(there), "{word}");
        }
        assert_eq!(answer(text, "3fa85f64"), None, "an id is looked for in the texts that have ids");
        assert_eq!(answer(text, "99999999"), Some(false), "if its letters occur");
    }
}
