//! Card numbers: a known issuer's beginning and length, grouped as on a card or not at all, and the check digit right.

use super::scrub::Found;

/// Groups in which cards write their numbers.
const GROUPS: [&[usize]; 5] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[4, 3, 3, 3]];
const DIGITS_MAX: usize = 19;

/// The card number that begins here, where a number begins.
pub(super) fn find(bytes: &[u8], at: usize) -> Option<Found> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let before = at.checked_sub(1).map_or(b' ', byte);
    let before_that = at.checked_sub(2).map_or(b' ', byte);
    // A phone number, or the middle of a UUID, of an amount, of an id in parts.
    if before == b'+' || matches!(before, b'-' | b'.') && before_that.is_ascii_alphanumeric() {
        return None;
    }
    let mut digits = Digits { len: 0, values: [0; DIGITS_MAX] };
    let mut end = digits.group(bytes, at)?;
    if digits.len != 4 {
        return (digits.is_card() && ends(bytes, end)).then(|| card(at, end));
    }
    // Several groups, one sign between all of them. The longest that is a card is one.
    let sign = byte(end);
    let mut groups = vec![4];
    let mut found = None;
    while matches!(sign, b' ' | b'-') && byte(end) == sign && byte(end + 1).is_ascii_digit() {
        let already = digits.len;
        let Some(next) = digits.group(bytes, end + 1) else { break };
        groups.push(digits.len - already);
        end = next;
        if GROUPS.contains(&groups.as_slice()) && digits.is_card() && ends(bytes, end) {
            found = Some(card(at, end));
        }
    }
    found
}

fn card(from: usize, to: usize) -> Found {
    Found { range: from..to, what: "card" }
}

/// Whether a number can end here: what follows is no part of it.
fn ends(bytes: &[u8], end: usize) -> bool {
    let next = bytes.get(end).copied().unwrap_or(b' ');
    let after = bytes.get(end + 1).copied().unwrap_or(b' ');
    !(super::scrub::is_word(next) || matches!(next, b'-' | b'.') && after.is_ascii_alphanumeric())
}

struct Digits {
    len: usize,
    values: [u8; DIGITS_MAX],
}

impl Digits {
    /// Takes the digits that stand here; where they end. `None` if there are more than any card has.
    fn group(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
            *self.values.get_mut(self.len)? = digit - b'0';
            self.len += 1;
            at += 1;
        }
        Some(at)
    }

    fn is_card(&self) -> bool {
        self.is_issued() && self.check_digit_is_right()
    }

    /// The number that the first `count` digits make.
    fn first(&self, count: usize) -> u32 {
        self.values.iter().take(count).fold(0, |number, digit| number * 10 + u32::from(*digit))
    }

    /// Whether a known network issues numbers that begin so and have this length (ISO/IEC 7812 ranges).
    fn is_issued(&self) -> bool {
        let (two, three, four) = (self.first(2), self.first(3), self.first(4));
        match self.len {
            13 => two / 10 == 4,                                               // Visa, of old
            14 => (300..=305).contains(&three) || matches!(two, 36 | 38 | 39), // Diners Club
            15 => matches!(two, 34 | 37),                                      // American Express
            16 => {
                two / 10 == 4                                                    // Visa
                    || (51..=55).contains(&two)                                  // Mastercard
                    || (2221..=2720).contains(&four)
                    || four == 6011                                              // Discover
                    || (644..=659).contains(&three)
                    || (3528..=3589).contains(&four)                             // JCB
                    || two == 62 // UnionPay
            }
            19 => two / 10 == 4 || two == 62 || four == 6011 || two == 65,
            17 | 18 => two == 62,
            _ => false,
        }
    }

    /// Luhn's check (ISO/IEC 7812-1, annex B).
    fn check_digit_is_right(&self) -> bool {
        let digits = self.values.iter().take(self.len).rev();
        let sum: u32 = digits
            .enumerate()
            .map(|(place, &digit)| match u32::from(digit) * 2 {
                _ if place % 2 == 0 => u32::from(digit),
                doubled if doubled > 9 => doubled - 9,
                doubled => doubled,
            })
            .sum();
        sum.is_multiple_of(10)
    }
}
