//! `agent cert init`: a private CA, a certificate for an agent and one for a client, and what the agent's
//! configuration needs of them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use connctl_api::endpoint::default_socket;
use connctl_api::error::Exit;
use connctl_api::instant::Instant;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::args::cert::{CertInitArgs, CertVerb};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output;
use crate::output::pairs;

/// How long the CA is valid.
const CA_LIFETIME: Duration = Duration::from_secs(3_650 * DAY.as_secs());
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Clocks of other machines may be slow by this.
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);
/// How much of a hash is in the name of a CA.
const NAME_BYTES: usize = 4;
/// Names of this machine that an agent's certificate always has.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Where the configuration that is printed serves the control API.
const ADDRESS: &str = "tls:0.0.0.0:5002";
/// Of a certificate, and of a private key.
const MODES: (u32, u32) = (0o644, 0o600);
/// Of a directory that is made for them.
const DIRECTORY_MODE: u32 = 0o700;

pub(crate) fn run(verb: &CertVerb, invocation: &Invocation) -> Result<Exit> {
    let CertVerb::Init(args) = verb;
    let made = Made::new(args)?;
    let dir = std::path::absolute(&args.dir)?;
    write(&dir, &made.files)?;
    if invocation.format.is_table() {
        output::text(&page(args, &dir, &made))?;
    } else {
        let path = |name: &str| dir.join(name);
        let json = json!({
            "dir": dir,
            "ca": path(CA.0),
            "ca_key": path(CA.1),
            "server_certificate": path(SERVER.0),
            "server_key": path(SERVER.1),
            "client_certificate": path(CLIENT.0),
            "client_key": path(CLIENT.1),
            "names": made.names,
            "client": args.client,
            "role": args.role,
            "expires_at": made.expires_at,
        });
        pairs::print(invocation, &json.to_string(), &dir.to_string_lossy(), &[])?;
    }
    Ok(Exit::Done)
}

/// Each certificate's file and its key's.
type Pair = (&'static str, &'static str);
const CA: Pair = ("ca.crt", "ca.key");
const SERVER: Pair = ("server.crt", "server.key");
const CLIENT: Pair = ("client.crt", "client.key");

/// A file's name, its text, and its mode.
type File = (&'static str, String, u32);

struct Made {
    files: Vec<File>,
    names: Vec<String>,
    expires_at: Instant,
}

impl Made {
    fn new(args: &CertInitArgs) -> Result<Self> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let lifetime = DAY * u32::try_from(args.days)?;
        let mut names: Vec<_> = OWN_NAMES.map(str::to_owned).into_iter().chain(host_name()).collect();
        names.extend(args.name.iter().cloned());
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));

        let ca_key = KeyPair::generate()?;
        // Of its own name: of two that are called the same, only a failed signature would tell.
        let name = format!("connctl CA {}", short_hash(ca_key.public_key_raw()));
        let mut ca = params(&name, Vec::new(), now, CA_LIFETIME)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let mut files = pair(CA, ca.self_signed(&ca_key)?.pem(), &ca_key);
        let issuer = Issuer::new(ca, ca_key);
        let leaves = [
            (SERVER, "connctl agent", names.clone(), ExtendedKeyUsagePurpose::ServerAuth),
            (CLIENT, &*args.client, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth),
        ];
        for (names, subject, hosts, usage) in leaves {
            let key = KeyPair::generate()?;
            let mut leaf = params(subject, hosts, now, lifetime)?;
            leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            leaf.extended_key_usages = vec![usage];
            leaf.use_authority_key_identifier_extension = true;
            files.extend(pair(names, leaf.signed_by(&key, &issuer)?.pem(), &key));
        }
        let expires_at = Instant(i64::try_from((now + lifetime).as_millis())?);
        Ok(Self { files, names, expires_at })
    }
}

/// The beginning of a hash, in hexadecimal.
fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

fn params(subject: &str, hosts: Vec<String>, now: Duration, lifetime: Duration) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(hosts).context("the names of the agent")?;
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(CLOCK_SKEW);
    params.not_after = epoch + now + lifetime;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    Ok(params)
}

fn pair(names: Pair, certificate: String, key: &KeyPair) -> Vec<File> {
    vec![(names.0, certificate, MODES.0), (names.1, key.serialize_pem(), MODES.1)]
}

/// The name of this machine, where it has one that a certificate can have.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    crate::args::values::host(name.trim()).ok()
}

/// Writes all files or none.
fn write(dir: &Path, files: &[File]) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(dir)
        .with_context(|| format!("the directory {} cannot be made", dir.display()))?;
    if let Some(there) =
        files.iter().map(|(name, ..)| dir.join(name)).find(|path| path.symlink_metadata().is_ok())
    {
        let failure = Failure::new(Exit::Failed, format!("{} is there already", there.display()));
        return Err(failure
            .hint("nothing was overwritten: name another directory, or move these away")
            .into());
    }
    let mut written = Vec::new();
    for (name, text, mode) in files {
        let path = dir.join(name);
        let done = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(*mode)
            .open(&path)
            .inspect(|_| written.push(path.clone()))
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        if let Err(error) = done {
            for path in written {
                // The error that is told is the first one.
                let _ = fs::remove_file(path);
            }
            return Err(error).with_context(|| format!("{} cannot be written", path.display()));
        }
    }
    Ok(())
}

/// What people see: a configuration file, with the next steps as its comments.
fn page(args: &CertInitArgs, dir: &Path, made: &Made) -> String {
    let [ca, server, server_key, client, client_key] =
        [CA.0, SERVER.0, SERVER.1, CLIENT.0, CLIENT.1].map(|name| dir.join(name));
    let socket = PathBuf::from(format!("unix:{}", default_socket().display()));
    format!(
        "\
# Made in {dir}, valid until {until}:
#   ca.crt                   give it to every client: it vouches for the agent
#   ca.key                   keep it where no agent is: whoever has it can be any client
#   server.crt, server.key   the agent's: {names}
#   client.crt, client.key   the client's that is known as {name:?}
#
# This is what the agent's configuration file needs. Then, where the client's files and ca.crt are:
#   connctl --agent https://HOST:5002 --ca-file {ca_shown} --cert-file {client} --key-file {client_key} list

control = [{socket}, \"{ADDRESS}\"]

[tls]
certificate = {server}
key         = {server_key}
client_ca   = {ca}

[[certificate]]
name = \"{name}\"
role = \"{role}\"
",
        dir = dir.display(),
        until = made.expires_at,
        names = made.names.join(", "),
        name = args.client,
        ca_shown = ca.display(),
        client = client.display(),
        client_key = client_key.display(),
        socket = quoted(&socket),
        server = quoted(&server),
        server_key = quoted(&server_key),
        ca = quoted(&ca),
        role = args.role,
    )
}

/// A path as TOML writes text: JSON's form is one of its own.
fn quoted(path: &Path) -> String {
    json!(path.to_string_lossy()).to_string()
}
