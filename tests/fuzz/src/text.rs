//! Small texts: units, addresses, ids, times, and the bodies of requests.

#[allow(unreachable_pub, dead_code, reason = "the file as it is")]
#[path = "../../../agent/api/src/client/endpoint.rs"]
mod endpoint;

use connctl_agent::config::{address, check};
use connctl_api::conn::{AssignRequest, Mode};
use connctl_api::id::ConnId;
use connctl_api::listener::GateRequest;
use connctl_api::operation::OperationRequest;
use connctl_api::units;
use connctl_api::wait::WaitRequest;

/// What is read is written, and read again as the same.
pub(crate) fn units(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(micros) = units::parse_micros(text) {
        assert_eq!(units::parse_micros(&units::format_micros(micros)), Ok(micros), "{text:?}");
    }
    if let Ok(size) = units::parse_size(text) {
        assert_eq!(units::parse_size(&units::format_size(size)), Ok(size), "{text:?}");
    }
    if let Ok(duration) = units::parse_duration(text) {
        assert!(!units::format_duration(duration).is_empty());
    }
    if let Ok(rate) = units::parse_byte_rate(text) {
        assert!(rate.is_finite() && rate >= 0.0 && !units::format_byte_rate(rate).is_empty(), "{text:?}");
    }
    if let Ok(percent) = units::parse_percent(text) {
        assert!((0.0..=100.0).contains(&percent) && !units::format_percent(percent).is_empty(), "{text:?}");
    }
    if let Ok(rate) = units::parse_rate(text) {
        assert!(rate.is_finite() && rate >= 0.0 && !units::format_rate(rate).is_empty(), "{text:?}");
    }
    if let Ok(id) = text.parse::<ConnId>() {
        assert_eq!(id.to_string().parse::<ConnId>().ok(), Some(id));
    }
}

/// Where an agent, a listener or an upstream is.
pub(crate) fn addresses(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(endpoint) = text.parse::<endpoint::Endpoint>() {
        assert_eq!(endpoint.to_string().parse(), Ok(endpoint), "{text:?}");
    }
    if let Ok((host, _)) = address::host_port(text) {
        assert!(!host.is_empty() && !host.contains(char::is_whitespace), "{text:?}");
    }
    for mode in [Mode::Forward, Mode::Echo] {
        if let Err(error) = check::listener_flag(mode, text) {
            assert!(!error.to_string().is_empty());
        }
    }
}

/// The bodies that the native API takes.
pub(crate) fn bodies(bytes: &[u8]) {
    let _ = serde_json::from_slice::<OperationRequest>(bytes);
    let _ = serde_json::from_slice::<WaitRequest>(bytes);
    let _ = serde_json::from_slice::<GateRequest>(bytes);
    let _ = serde_json::from_slice::<AssignRequest>(bytes);
}
