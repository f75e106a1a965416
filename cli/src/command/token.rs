//! `agent token`: a new token, and what the agent's configuration needs of it.

use anyhow::{Context as _, Result};
use connctl_api::access::Role;
use connctl_api::error::Exit;
use rustix::rand::{GetRandomFlags, getrandom};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::args::verb::TokenArgs;
use crate::invocation::Invocation;
use crate::output;
use crate::output::pairs;

/// The random bytes of a token: nobody guesses them.
const SECRET_BYTES: usize = 32;
/// What a token begins with, so that one in the wrong place is found.
const PREFIX: &str = "ct_";

pub(crate) fn run(args: &TokenArgs, invocation: &Invocation) -> Result<Exit> {
    let (name, role) = (&args.name, args.role);
    let mut bytes = [0; SECRET_BYTES];
    let got = getrandom(&mut bytes, GetRandomFlags::empty()).context("there are no random bytes")?;
    anyhow::ensure!(got == bytes.len(), "there are too few random bytes");
    let token = format!("{PREFIX}{}", hexadecimal(&bytes));
    let sha256 = hexadecimal(&Sha256::digest(&token));
    if invocation.format.is_table() {
        output::text(&page(&token, name, role, &sha256))?;
    } else {
        let json = json!({ "name": name, "role": role, "token": token, "sha256": sha256 });
        pairs::print(invocation, &json.to_string(), &token, &[])?;
    }
    Ok(Exit::Done)
}

/// What people see: the token once, and a table to copy.
fn page(token: &str, name: &str, role: Role, sha256: &str) -> String {
    format!(
        "# The token, which is shown this once. Keep it in a file that only you can read,
# for --token-file or CONNCTL_TOKEN.
{token}

# For the agent's configuration file, which has only the hash.
[[token]]
name   = \"{name}\"
role   = \"{role}\"
sha256 = \"{sha256}\"
"
    )
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
