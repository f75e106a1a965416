//! `agent cert`: a private CA, certificates for agents and for clients, and what the agent's configuration needs of
//! them.

mod authority;
mod files;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use connctl_api::access::Role;
use connctl_api::endpoint::default_socket;
use connctl_api::error::Exit;
use connctl_api::instant::Instant;
use serde_json::json;

use self::authority::{Authority, Holder};
use self::files::Pair;
use crate::args::cert::{CertInitArgs, CertIssueArgs, CertVerb};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output;
use crate::output::pairs;

/// Names of this machine that an agent's certificate always has.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Where the configuration that is printed serves the control API.
const ADDRESS: &str = "tls:0.0.0.0:5002";
const SERVER: Pair<'static> = Pair("server.crt", "server.key");
const CLIENT: Pair<'static> = Pair("client.crt", "client.key");
/// What no client is called, as its files would be those of somebody else.
const RESERVED: [&str; 2] = ["ca", "server"];

pub(crate) fn run(verb: &CertVerb, invocation: &Invocation) -> Result<Exit> {
    match verb {
        CertVerb::Init(args) => init(args, invocation)?,
        CertVerb::Issue(args) => issue(args, invocation)?,
    }
    Ok(Exit::Done)
}

fn init(args: &CertInitArgs, invocation: &Invocation) -> Result<()> {
    let names = hosts(&args.name);
    let (authority, mut all) = Authority::new()?;
    let (certificate, key, until) = authority.issue(&Holder::Agent(&names), args.days)?;
    all.extend(SERVER.files(certificate, key));
    let (certificate, key, _) = authority.issue(&Holder::Client(&args.client), args.days)?;
    all.extend(CLIENT.files(certificate, key));
    let dir = std::path::absolute(&args.dir)?;
    files::make_dir(&dir)?;
    files::write(&dir, &all)?;
    if invocation.format.is_table() {
        return output::text(&page(args, &dir, &names, until));
    }
    let path = |name: &str| dir.join(name);
    let json = json!({
        "dir": dir,
        "ca": path(authority::FILES.0),
        "ca_key": path(authority::FILES.1),
        "server_certificate": path(SERVER.0),
        "server_key": path(SERVER.1),
        "client_certificate": path(CLIENT.0),
        "client_key": path(CLIENT.1),
        "names": names,
        "client": args.client,
        "role": args.role,
        "expires_at": until,
    });
    pairs::print(invocation, &json.to_string(), &dir.to_string_lossy(), &[])
}

fn issue(args: &CertIssueArgs, invocation: &Invocation) -> Result<()> {
    let dir = std::path::absolute(&args.dir)?;
    let (names, file) = (hosts(&args.name), args.client.as_deref().unwrap_or("server"));
    if args.client.is_some() && RESERVED.contains(&file) {
        return Err(Failure::usage(format!("--client {file} would have the files of the {file}")).into());
    }
    let holder = args.client.as_deref().map_or(Holder::Agent(&names), Holder::Client);
    let (certificate, key, until) = Authority::open(&dir)?.issue(&holder, args.days)?;
    let pair = (format!("{file}.crt"), format!("{file}.key"));
    let both = Pair(&pair.0, &pair.1).files(certificate, key);
    if args.renew {
        files::replace(&dir, &both)?
    } else {
        files::write(&dir, &both)?
    }

    let (certificate, key) = (dir.join(pair.0), dir.join(pair.1));
    if invocation.format.is_table() {
        let made = format!("# {} and its key, valid until {until}", certificate.display());
        let text = match &args.client {
            Some(client) => format!("{made}.\n\n{}", table(client, args.role)),
            None => format!(
                "{made}: {}.\n# The agent takes them with `connctl agent reload`.\n",
                names.join(", ")
            ),
        };
        return output::text(&text);
    }
    let json = json!({
        "certificate": certificate,
        "key": key,
        "names": args.client.is_none().then_some(names),
        "client": args.client,
        "role": args.client.is_some().then_some(args.role),
        "expires_at": until,
    });
    pairs::print(invocation, &json.to_string(), &certificate.to_string_lossy(), &[])
}

/// The names of this machine, and these.
fn hosts(more: &[String]) -> Vec<String> {
    let own = OWN_NAMES.map(str::to_owned).into_iter().chain(host_name());
    let mut seen = HashSet::new();
    own.chain(more.iter().cloned()).filter(|name| seen.insert(name.clone())).collect()
}

/// The name of this machine, where it has one that a certificate can have.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    crate::args::values::host(name.trim()).ok()
}

/// What people see: a configuration file, with the next steps as its comments.
fn page(args: &CertInitArgs, dir: &Path, names: &[String], until: Instant) -> String {
    let [ca, server, server_key, client, client_key] =
        [authority::FILES.0, SERVER.0, SERVER.1, CLIENT.0, CLIENT.1].map(|name| dir.join(name));
    let socket = PathBuf::from(format!("unix:{}", default_socket().display()));
    format!(
        "\
# Made in {dir}, valid until {until}:
#   ca.crt                   give it to every client: it vouches for the agent
#   ca.key                   keep it where no agent is: whoever has it can be any client
#   server.crt, server.key   the agent's: {names}
#   client.crt, client.key   the client's that is known as {name:?}
# `connctl agent cert issue` makes more, and new ones in time.
#
# This is what the agent's configuration file needs. Then, where the client's files and ca.crt are:
#   connctl --agent https://HOST:5002 --ca-file {ca_shown} --cert-file {client} --key-file {client_key} list

control = [{socket}, \"{ADDRESS}\"]

[tls]
certificate = {server}
key         = {server_key}
client_ca   = {ca}

{table}",
        dir = dir.display(),
        names = names.join(", "),
        name = args.client,
        ca_shown = ca.display(),
        client = client.display(),
        client_key = client_key.display(),
        socket = quoted(&socket),
        server = quoted(&server),
        server_key = quoted(&server_key),
        ca = quoted(&ca),
        table = table(&args.client, args.role),
    )
}

/// How the agent's configuration lets a client in.
fn table(client: &str, role: Role) -> String {
    format!("[[certificate]]\nname = \"{client}\"\nrole = \"{role}\"\n")
}

/// A path as TOML writes text: JSON's form is one of its own.
fn quoted(path: &Path) -> String {
    json!(path.to_string_lossy()).to_string()
}
