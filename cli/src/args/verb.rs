//! The verbs and what each takes.

use clap::{Args, Subcommand};
use clap_complete::Shell;
use connctl_api::access::Role;
use connctl_api::id::ConnId;
use connctl_api::listener::RejectMode;
use connctl_api::operation::OperationKind;
use connctl_api::stats::StatsBy;
use connctl_api::wait::Condition;

use super::audit::AuditVerb;
use super::bulk::{ChangeArgs, PaceArgs, RemoveArgs};
use super::cert::CertVerb;
use super::context::ContextVerb;
use super::drain::DrainArgs;
use super::job::JobVerb;
use super::limit::LimitVerb;
use super::listener::ListenerVerb;
use super::past::{EventsArgs, HistoryArgs};
use super::revoke::RevokeArgs;
use super::selector::SelectorArgs;
use super::top::TopArgs;
use super::values;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List connections
    #[command(before_help = "\
Examples:
  connctl list
  connctl list --uid u17 --state half_closed
  connctl list --where 'idle > 10m and ip in 10.0.0.0/8' --sort -idle --limit 20
  connctl list --count --by uid
  connctl list -o jsonl | jq .client")]
    List(ListArgs),
    /// Show one connection in depth
    #[command(before_help = "\
Examples:
  connctl show 12
  connctl show 12 -o json | jq .sides.client.tcp.rtt_us")]
    Show(ShowArgs),
    /// Close connections (or reset, or half-close them)
    #[command(before_help = "\
Examples:
  connctl remove --uid u17
  connctl remove --uid u17 --conn-id 12
  connctl remove --idle-over 10m --max 50 --note 'idle since lunch'
  connctl remove --idle-over 10m --dry-run
  connctl remove --all --yes --rate 50/s --jitter 20% --pause-if 5%
  connctl list --uid u17 -o jsonl | connctl remove --batch -")]
    Remove(RemoveArgs),
    /// Discard what is pending and send RST
    #[command(before_help = "\
Examples:
  connctl reset --conn-id 12
  connctl reset --ip 10.0.0.0/8 --side client")]
    Reset(ChangeArgs),
    /// Flush, send FIN one way, and keep reading until the peer closes
    #[command(before_help = "\
Examples:
  connctl halfclose --conn-id 12
  connctl halfclose --conn-id 12 --side upstream")]
    Halfclose(ChangeArgs),
    /// Stop reading
    #[command(before_help = "\
Examples:
  connctl pause --conn-id 12 --side client")]
    Pause(ChangeArgs),
    /// Read again
    #[command(before_help = "\
Examples:
  connctl resume --state paused")]
    Resume(ChangeArgs),
    /// Act on exactly the connections of a plan that --dry-run has shown
    #[command(before_help = "\
Examples:
  plan=$(connctl remove --idle-over 10m --dry-run -o name)
  connctl apply $plan --yes
  connctl apply $plan --rate 50/s --detach")]
    Apply(ApplyArgs),
    /// See and steer what the agent does at a pace
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl remove --all --yes --rate 50/s --detach
  connctl job list
  connctl job pause j-1a2b3c4d-1
  connctl job wait j-1a2b3c4d-1 --timeout 10m"
    )]
    Job(JobVerb),
    /// Close a user's or a network's connections and refuse new ones
    #[command(before_help = "\
Examples:
  connctl revoke --uid u17
  connctl revoke --ip 10.1.0.0/16 --for 10m --note 'scanning'
  connctl revoke list
  connctl revoke lift 3")]
    Revoke(RevokeArgs),
    /// See and change who gets in
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl listener list
  connctl listener reject redis --after 2
  connctl listener reject --mode stall
  connctl listener accept
  connctl listener drain redis"
    )]
    Listener(ListenerVerb),
    /// See and change how long connections last, and how many there may be
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl limit list
  connctl limit set --listener pg idle_timeout=10m max_per_uid=5 on_over=evict-oldest
  connctl limit set --listener pg max_connections=100 --dry-run
  connctl limit remove --listener pg --all"
    )]
    Limit(LimitVerb),
    /// See the agent as a whole, empty it before maintenance, fill it again
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl node list
  connctl node drain --yes --rate 100/s --jitter 20% --idle-first
  connctl node undrain"
    )]
    Node(NodeVerb),
    /// Count endings by reason, or connections by a field
    #[command(before_help = "\
Examples:
  connctl stats
  connctl stats --by uid
  connctl stats --by reason -o json")]
    Stats(StatsArgs),
    /// See what passes through connections now, the most first
    #[command(before_help = "\
Examples:
  connctl top
  connctl top --listener redis --sort -idle
  connctl top --limit 5 -o jsonl | jq -c '{conn_id, rate}'
  connctl top --every 10s --times 6 --limit 3")]
    Top(TopArgs),
    /// List connections that have ended, the latest first
    #[command(before_help = "\
Examples:
  connctl history --limit 20
  connctl history --uid u17 --since 1h
  connctl history --where 'reason = operator_close and age > 1h' -o jsonl
  connctl history --since 10m --count --by reason")]
    History(HistoryArgs),
    /// Say why a connection ended, or that it has not
    #[command(before_help = "\
Examples:
  connctl why 12
  connctl why 12 -o json | jq .ended.reason")]
    Why(ShowArgs),
    /// Print what happened of late, or what happens from now on
    #[command(before_help = "\
Examples:
  connctl events --uid u17
  connctl events --follow
  connctl events --follow --kind ended --where 'reason = evicted' -o jsonl
  connctl events --follow --after \"$last_id\" -o jsonl")]
    Events(EventsArgs),
    /// See what was asked that changes something, by whom, and check that the record of it is whole
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl audit list --since 1h
  connctl audit list --actor deploy -o wide
  connctl audit verify
  connctl audit verify --file /var/lib/connctl/audit.jsonl"
    )]
    Audit(AuditVerb),
    /// Say whose a connection is
    #[command(before_help = "\
Examples:
  connctl assign 12 --uid u17 --device phone
  connctl assign 12 --tag team=blue --tag canary=yes")]
    Assign(AssignArgs),
    /// Wait until so many connections are there
    #[command(before_help = "\
Examples:
  connctl wait --for count=0 --timeout 30s
  connctl wait --uid u17 --for 'count>10' --then remove
  connctl wait --listener redis --for 'count<=10'")]
    Wait(WaitArgs),
    /// Run an agent, or ask how one is
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl agent run --forward redis@127.0.0.1:6380=127.0.0.1:6379
  connctl agent run --echo 127.0.0.1:7000 --control tcp:127.0.0.1:5001
  connctl agent run --config /etc/connctl.toml
  connctl agent status
  connctl agent reload"
    )]
    Agent(AgentVerb),
    /// Name agents, and choose the one to talk to
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl context add prod unix:/run/connctl/agent.sock --use
  connctl context list
  connctl --context lab list"
    )]
    Context(ContextVerb),
    /// Print the completion script of a shell
    #[command(before_help = "\
Examples:
  connctl completion bash > /etc/bash_completion.d/connctl
  connctl completion zsh  > \"${fpath[1]}/_connctl\"
  connctl completion fish > ~/.config/fish/completions/connctl.fish")]
    Completion(CompletionArgs),
    /// Print the manual page, of a verb if one is named
    #[command(before_help = "\
Examples:
  connctl man | man -l -
  connctl man listener reject > connctl-listener-reject.1")]
    Man(ManArgs),
    /// See it all work on real sockets, with no other software
    #[cfg(feature = "agent")]
    #[command(before_help = "\
Examples:
  connctl demo
  connctl demo --keep")]
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// Sort by this field, - before it for descending [default: conn_id]
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub sort: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::number)]
    pub limit: Option<u64>,
    /// Only these columns, in this order
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Only how many
    #[arg(long, conflicts_with_all = ["sort", "limit", "columns"])]
    pub count: bool,
    /// With --count: how many of each value of this field
    #[arg(long, value_name = "FIELD", requires = "count")]
    pub by: Option<String>,
    /// Look again each second, until interrupted; in a pipe, print what has changed as lines
    #[arg(short, long)]
    pub watch: bool,
    /// Print the fields that --where, --sort, --by and --columns know, and leave
    #[arg(long, conflicts_with_all = ["uid", "conn_id", "ip", "port", "listener", "node", "device", "tag", "state",
        "idle_over", "age_over", "all", "where_", "sort", "limit", "columns", "count", "by", "watch"])]
    pub fields: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The connection
    pub conn_id: ConnId,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The plan
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Refuse a plan of more connections than this
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::number)]
    pub max: Option<u64>,
    /// Refuse a plan of more than this share of the node's connections
    #[arg(long, value_name = "P", value_parser = values::percent)]
    pub max_percent: Option<f64>,
    #[command(flatten)]
    pub pace: PaceArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeVerb {
    /// List nodes
    #[command(before_help = "\
Examples:
  connctl node list
  connctl node list -o wide")]
    List,
    /// Show the node
    #[command(before_help = "\
Examples:
  connctl node show
  connctl node show -o json | jq .connections")]
    Show,
    /// Turn new connections away on every listener and close the live ones, 50/s where no rate is given
    #[command(before_help = "\
Examples:
  connctl node drain --yes --rate 100/s --jitter 20% --idle-first
  connctl node drain --yes --until-reconnect-rate 20/s --detach")]
    Drain {
        /// The dial fails, succeeds and is reset, or hangs [default: refuse]
        #[arg(long, value_name = "MODE", value_parser = values::word_of!(RejectMode))]
        mode: Option<RejectMode>,
        #[command(flatten)]
        args: Box<DrainArgs>,
    },
    /// Take new connections again on every listener
    #[command(before_help = "\
Examples:
  connctl node undrain")]
    Undrain,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// By reason (endings), or by uid, ip, listener or device (live connections)
    #[arg(long, value_name = "BY", default_value = "reason",
        value_parser = values::word_of!(StatsBy))]
    pub by: StatsBy,
}

#[derive(Debug, Args)]
#[group(id = "labels", args = ["uid", "device", "tag"], required = true, multiple = true)]
pub(crate) struct AssignArgs {
    /// The connection
    pub conn_id: ConnId,
    /// Whose it is
    #[arg(long, value_name = "UID")]
    pub uid: Option<String>,
    /// From which kind of device
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// A label to add or to change
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::tag)]
    pub tag: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// The condition: count=0, count!=3, count<=10, count>=1, count<5, count>5
    #[arg(long = "for", value_name = "CONDITION", default_value = "count=0")]
    pub condition: Condition,
    /// What to do with the connections when the condition holds: remove or reset
    #[arg(long, value_name = "VERB", value_parser = values::then())]
    pub then: Option<OperationKind>,
    /// With --then: do not ask
    #[arg(short, long, requires = "then")]
    pub yes: bool,
    /// With --then: refuse more connections than this
    #[arg(long, value_name = "N", requires = "then")]
    pub max: Option<u64>,
    /// With --then: so many connections a second, evenly
    #[arg(long, value_name = "RATE", value_parser = values::rate, requires = "then")]
    pub rate: Option<f64>,
    /// With --then: why, for the log
    #[arg(long, value_name = "TEXT", requires = "then")]
    pub note: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AgentVerb {
    /// Run an agent in the foreground
    #[cfg(feature = "agent")]
    #[command(before_help = "\
Examples:
  connctl agent run --forward redis@127.0.0.1:6380=127.0.0.1:6379
  connctl agent run --echo 127.0.0.1:7000 --hold 127.0.0.1:7001 --control tcp:127.0.0.1:5001
  connctl agent run --config /etc/connctl.toml")]
    Run(Box<connctl_agent::args::RunArgs>),
    /// Say how the agent is
    #[command(before_help = "\
Examples:
  connctl agent status
  connctl agent status -o json | jq .descriptors_used")]
    Status,
    /// Have the agent read its configuration file again
    #[command(
        before_help = "\
Examples:
  connctl agent reload
  connctl agent reload -o jsonl | jq -c 'select(.outcome == \"needs_restart\")'",
        after_help = "The file is checked as a whole first: a mistake changes nothing. Policies count for live \
connections at once, and limits that were set come to the file's values; other settings of a listener count for new \
connections. What cannot be changed while the agent runs is named and stays as it was: exit code 6. SIGHUP does the \
same."
    )]
    Reload,
    /// Make a token, and the table for the agent's configuration
    #[command(before_help = "\
Examples:
  connctl agent token --name deploy --role operator
  connctl agent token --name grafana -o name > grafana.token")]
    Token(TokenArgs),
    /// Make certificates for the control API over TLS
    #[command(
        subcommand,
        before_help = "\
Examples:
  connctl agent cert init
  connctl agent cert init /etc/connctl/tls --name agent.example
  connctl agent cert issue /etc/connctl/tls --client grafana --role viewer"
    )]
    Cert(CertVerb),
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Whose it is: the name in logs and in the audit
    #[arg(long, value_name = "NAME", default_value = "viewer", value_parser = values::name)]
    pub name: String,
    /// What it allows: viewer reads, operator acts on connections and listeners, admin may everything
    #[arg(long, value_name = "ROLE", default_value = "viewer", value_parser = values::word_of!(Role))]
    pub role: Role,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The verb, with its own verb if it has one
    #[arg(value_name = "VERB")]
    pub verb: Vec<String>,
}

#[cfg(feature = "agent")]
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave the agent and its clients running until ctrl-c
    #[arg(long)]
    pub keep: bool,
}
