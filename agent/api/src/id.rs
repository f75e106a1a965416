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

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident = $letter:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            /// A number that the agent draws when it starts: no two of its processes share it.
            pub boot: u32,
            /// How many of its kind that process had made, this one included.
            pub number: u64,
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}-{:08x}-{}", $letter, self.boot, self.number)
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let read = || {
                    let (boot, number) = text.strip_prefix(concat!($letter, "-"))?.split_once('-')?;
                    let (boot, number) = (u32::from_str_radix(boot, 16).ok()?, number.parse().ok()?);
                    Some(Self { boot, number })
                };
                // One id has one spelling.
                read().filter(|id: &Self| id.to_string() == text).ok_or_else(|| {
                    format!("{text:?} is not an id such as {}", Self { boot: 0x1a2b_3c4d, number: 7 })
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

handle!(
    /// A plan's id: it names the process of the agent that froze the set, and never anything else.
    PlanId = "p"
);
handle!(
    /// A job's id, as a plan's.
    JobId = "j"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_plans_and_jobs_have_one_spelling() {
        let id = PlanId { boot: 0xab, number: 12 };
        assert_eq!(id.to_string(), "p-000000ab-12");
        assert_eq!("p-000000ab-12".parse(), Ok(id));
        for wrong in
            ["", "p", "p-ab-12", "p-000000ab-012", "p-000000AB-12", "p-000000ab-+1", "j-000000ab-12", "12"]
        {
            assert!(wrong.parse::<PlanId>().is_err(), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<JobId>("\"j-000000ab-1\"").unwrap().number, 1);
    }

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
