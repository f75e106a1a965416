//! The arguments of `top`.

use std::time::Duration;

use clap::Args;

use super::selector::SelectorArgs;
use super::values;

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// Sort by this, - before it for descending: rate, to_upstream_rate, to_client_rate, bytes, idle, age or conn_id
    #[arg(long, value_name = "FIELD", default_value = "-rate", allow_hyphen_values = true)]
    pub sort: TopSort,
    /// At most so many connections [default: as many as fit, 20 without a terminal]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Look so often
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = values::positive_duration)]
    pub every: Duration,
    /// Leave after so many looks [default: 1 without a terminal, else when you say so]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub times: Option<u64>,
}

/// What a live view can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopKey {
    Rate,
    ToUpstreamRate,
    ToClientRate,
    Bytes,
    Idle,
    Age,
    ConnId,
}

impl TopKey {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Rate, "rate"),
        (Self::ToUpstreamRate, "to_upstream_rate"),
        (Self::ToClientRate, "to_client_rate"),
        (Self::Bytes, "bytes"),
        (Self::Idle, "idle"),
        (Self::Age, "age"),
        (Self::ConnId, "conn_id"),
    ];

    /// Its name, as typed.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(key, _)| *key == self).map_or("", |(_, name)| name)
    }
}

/// A key and a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopSort {
    pub key: TopKey,
    pub descending: bool,
}

impl std::str::FromStr for TopSort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let found = TopKey::ALL.iter().find(|(_, known)| *known == name);
        found.map(|&(key, _)| Self { key, descending }).ok_or_else(|| {
            let names: Vec<_> = TopKey::ALL.iter().map(|(_, name)| *name).collect();
            format!("it is none of {}", names.join(", "))
        })
    }
}
