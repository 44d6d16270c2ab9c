//! Words that stand for values, in configuration, JSON and the database.

/// The text named none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {known}")]
pub struct UnknownName {
    pub(crate) given: String,
    pub(crate) known: String,
}

/// Gives an enum its names: `ALL`, `as_str`, `Display` and `FromStr`.
macro_rules! named {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// All of them, in the order in which they are shown.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The name, as it stands in configuration, JSON and the database.
            pub fn as_str(self) -> &'static str {
                match self { $($type::$variant => $name),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::named::UnknownName;
            fn from_str(text: &str) -> Result<$type, $crate::named::UnknownName> {
                $type::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| $crate::named::UnknownName {
                    given: text.to_owned(),
                    known: $type::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}
pub(crate) use named;
