//! Waiting for a count.

use serde::{Deserialize, Serialize};

/// `POST /v1/wait`: answers when the condition holds or the time is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitRequest {
    /// A selector; all connections where absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// A comparison on the count of matching connections: `count=0`, `count<=10`, `count>3`, `count!=0`.
    #[serde(rename = "for")]
    pub condition: Condition,
    /// Milliseconds until the answer comes in any case.
    pub timeout_ms: u64,
}

/// The longest wait in milliseconds: a day.
pub const MAX_WAIT_MS: u64 = 86_400_000;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitReport {
    /// Whether the condition held.
    pub reached: bool,
    /// The last count.
    pub count: u64,
    /// Milliseconds waited.
    pub waited_ms: u64,
}

/// A comparison on a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    /// How the count is compared.
    pub comparison: Comparison,
    /// With what.
    pub number: u64,
}

impl Default for Condition {
    fn default() -> Self {
        Self { comparison: Comparison::Equal, number: 0 }
    }
}

crate::words::words!(
    /// How two numbers are compared.
    Comparison {
        /// Equal.
        Equal = "=",
        /// Not equal.
        NotEqual = "!=",
        /// At most.
        AtMost = "<=",
        /// At least.
        AtLeast = ">=",
        /// Less.
        Less = "<",
        /// More.
        More = ">",
    }
);

impl Condition {
    /// Whether the count fulfils it.
    pub const fn holds(self, count: u64) -> bool {
        match self.comparison {
            Comparison::Equal => count == self.number,
            Comparison::NotEqual => count != self.number,
            Comparison::AtMost => count <= self.number,
            Comparison::AtLeast => count >= self.number,
            Comparison::Less => count < self.number,
            Comparison::More => count > self.number,
        }
    }
}

impl std::str::FromStr for Condition {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a condition: write one like count=0 or count<=10");
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let rest = compact.strip_prefix("count").ok_or_else(wrong)?;
        let rest = rest.strip_prefix("==").map(|number| format!("={number}")).unwrap_or(rest.to_owned());
        let mut longest_first: Vec<_> = Comparison::ALL.to_vec();
        longest_first.sort_by_key(|comparison| std::cmp::Reverse(comparison.word().len()));
        let (comparison, number) = longest_first
            .into_iter()
            .find_map(|comparison| Some((comparison, rest.strip_prefix(comparison.word())?)))
            .ok_or_else(wrong)?;
        Ok(Self { comparison, number: number.parse().map_err(|_| wrong())? })
    }
}

impl TryFrom<String> for Condition {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "count{}{}", self.comparison.word(), self.number)
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_printed_back() {
        for text in ["count=0", "count!=3", "count<=10", "count>=10", "count<1", "count>5"] {
            let condition: Condition = text.parse().unwrap();
            assert_eq!(condition.to_string(), text);
        }
        assert_eq!("count == 0".parse::<Condition>().unwrap().to_string(), "count=0");
        for wrong in ["", "count", "count=", "count=-1", "total=0", "count=1x", "count=>1"] {
            assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
        }
    }
}
