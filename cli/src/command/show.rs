//! `show`: one connection in depth.

use anyhow::Result;
use connctl_api::conn::{ConnDetail, SideDetail, TcpFacts};
use connctl_api::error::Exit;

use crate::args::verb::ShowArgs;
use crate::invocation::Invocation;
use crate::output::human;
use crate::output::line::read;
use crate::output::pairs::{self, Line};

pub(crate) async fn run(args: &ShowArgs, invocation: &Invocation) -> Result<Exit> {
    let json = invocation.client()?.connection(args.conn_id).await?;
    let lines = if invocation.format.is_table() { lines(&read(json.as_bytes())?) } else { Vec::new() };
    pairs::print(invocation, &json, &args.conn_id.to_string(), &lines)?;
    Ok(Exit::Done)
}

fn lines(detail: &ConnDetail) -> Vec<Line> {
    let row = &detail.row;
    let tags: Vec<_> = row.tags.iter().map(|(key, value)| clean(&format!("{key}={value}"))).collect();
    let mut lines = vec![
        Line::Pair("conn_id", row.conn_id.to_string()),
        Line::Pair("node_id", row.node_id.to_string()),
        Line::Pair("uid", clean(row.uid.as_deref().unwrap_or_default())),
        Line::Pair("device", clean(row.device.as_deref().unwrap_or_default())),
        Line::Pair("tags", tags.join(" ")),
        Line::Pair("listener", clean(row.listener.as_deref().unwrap_or_default())),
        Line::Pair("mode", row.mode.to_string()),
        Line::Pair("state", row.state.to_string()),
        Line::Pair("health", row.health.map(|health| health.to_string()).unwrap_or_default()),
        Line::Pair("thread", detail.thread.to_string()),
        Line::Pair("opened_at", row.opened_at.to_string()),
        Line::Pair("age", duration(row.age_ms)),
        Line::Pair("idle", duration(row.idle_ms)),
        Line::Pair("ends_by", ends_by(detail)),
        Line::Pair("to_upstream", size(row.to_upstream_bytes)),
        Line::Pair("to_client", size(row.to_client_bytes)),
        Line::Pair("client", address(row.client)),
        Line::Pair("local", address(row.local)),
        Line::Pair("upstream", address(row.upstream)),
    ];
    for (name, side) in [("client", &detail.sides.client), ("upstream", &detail.sides.upstream)] {
        if let Some(side) = side {
            lines.push(Line::Heading(format!("{name} side")));
            side_lines(side, &mut lines);
        }
    }
    lines
}

/// Which policy will end it, and when: `inactivity in 4m 10s`.
fn ends_by(detail: &ConnDetail) -> String {
    match (detail.ends_by, detail.time_remaining_ms) {
        (Some(reason), Some(ms)) => format!("{} in {}", reason.word(), duration(ms)),
        (Some(reason), None) => reason.word().to_owned(),
        (None, _) => String::new(),
    }
}

fn side_lines(side: &SideDetail, lines: &mut Vec<Line>) {
    let flags =
        [(side.paused, "paused"), (side.read_closed, "read closed"), (side.write_closed, "write closed")];
    let flags: Vec<_> = flags.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect();
    lines.extend([
        Line::Pair("local", address(side.local)),
        Line::Pair("peer", address(side.peer)),
        Line::Pair("flags", flags.join(", ")),
        Line::Pair("pending", size(side.pending_bytes)),
    ]);
    if let Some(tcp) = &side.tcp {
        tcp_lines(tcp, lines);
    }
}

fn tcp_lines(tcp: &TcpFacts, lines: &mut Vec<Line>) {
    let ms = |us: u64| format!("{}.{:03}ms", us / 1_000, us % 1_000);
    lines.extend([
        Line::Pair("tcp_state", clean(&tcp.state)),
        Line::Pair("congestion", format!("{}, window {}", clean(&tcp.congestion), tcp.congestion_window)),
        Line::Pair("rtt", format!("{} ± {}", ms(tcp.rtt_us), ms(tcp.rtt_var_us))),
        Line::Pair("rto", ms(tcp.rto_us)),
        Line::Pair("retransmits", format!("{}, in all {}", tcp.retransmits, tcp.total_retransmits)),
        Line::Pair("send_queue", size(tcp.send_queue_bytes)),
        Line::Pair("receive_queue", size(tcp.receive_queue_bytes)),
        Line::Pair("mss", size(tcp.mss_bytes)),
        Line::Pair("acked", size(tcp.acked_bytes)),
        Line::Pair("received", size(tcp.received_bytes)),
        Line::Pair("last_sent", duration(tcp.last_sent_ms)),
        Line::Pair("last_received", duration(tcp.last_received_ms)),
        Line::Pair("last_acked", duration(tcp.last_acked_ms)),
    ]);
}

fn clean(text: &str) -> String {
    let mut out = String::new();
    human::clean(text, &mut out);
    out
}

fn size(bytes: u64) -> String {
    let mut out = String::new();
    human::size(bytes, &mut out);
    out
}

fn duration(ms: u64) -> String {
    let mut out = String::new();
    human::duration(ms, &mut out);
    out
}

fn address(address: Option<std::net::SocketAddr>) -> String {
    address.map(|address| address.to_string()).unwrap_or_default()
}
