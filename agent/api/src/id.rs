//! Checked identifiers.

use serde::{Deserialize, Serialize};

/// The largest id on the wire: the largest integer that a JSON number of any language holds exactly.
pub const MAX_ID: u64 = (1 << 53) - 1;

/// A number that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an id: ids are integers from 1 to 9007199254740991")]
pub struct IdError(pub u64);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u64);

        impl $name {
            /// The id with this number.
            ///
            /// # Errors
            /// Outside `1 ..= 2^53-1`.
            pub const fn new(number: u64) -> Result<Self, IdError> {
                if number == 0 || number > MAX_ID { Err(IdError(number)) } else { Ok(Self(number)) }
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = IdError;
            fn try_from(number: u64) -> Result<Self, IdError> {
                Self::new(number)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> u64 {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let number: u64 = text.parse().map_err(|_| {
                    format!("{text:?} is not an id: ids are integers from 1 to {MAX_ID}")
                })?;
                Self::new(number).map_err(|error| error.to_string())
            }
        }
    };
}

id!(
    /// A connection's id: increasing on its node and never used twice there, not even after a restart.
    ConnId
);
id!(
    /// An agent's id.
    NodeId
);
id!(
    /// A revocation's id: increasing on its node, and never used twice there where it has a state directory.
    RevocationId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_within_what_a_json_number_holds() {
        assert!(ConnId::new(0).is_err());
        assert!(ConnId::new(MAX_ID).is_ok());
        assert!(ConnId::new(MAX_ID + 1).is_err());
        assert!("-1".parse::<ConnId>().is_err());
        assert_eq!(serde_json::from_str::<ConnId>("12").ok().map(ConnId::get), Some(12));
        assert!(serde_json::from_str::<ConnId>("0").is_err());
    }
}
