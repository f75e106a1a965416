//! The file that revocations survive a restart in: one JSON document, replaced as a whole.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use connctl_api::conn::MAX_LABEL_BYTES;
use connctl_api::id::{MAX_ID, RevocationId};
use connctl_api::instant::Instant;
use connctl_api::revocation::MAX_REVOCATIONS;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{Revocation, Subject, canonical};
use crate::base::state_dir::StateDir;

/// Its name in the state directory.
const NAME: &str = "revocations.json";
/// The form that this agent writes, and the only one that it reads.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    last_id: u64,
    revocations: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: RevocationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<IpNet>,
    created_at: Instant,
    expires_at: Option<Instant>,
    note: Option<String>,
}

/// The text for these revocations, without the one that is left out.
pub(super) fn text(table: &Table, without: Option<RevocationId>) -> Vec<u8> {
    let revocations = table.all().filter(|(revocation, _)| Some(revocation.id) != without);
    let revocations = revocations.map(|(revocation, _)| {
        let (uid, ip) = match revocation.subject {
            Subject::Uid(uid) => (Some(uid), None),
            Subject::Ip(net) => (None, Some(net)),
        };
        let Revocation { id, created_at, expires_at, note, .. } = revocation;
        Entry { id, uid, ip, created_at, expires_at, note }
    });
    let file = File { version: VERSION, last_id: table.last_id, revocations: revocations.collect() };
    // Text, numbers and lists: nothing of it can fail to be JSON. An empty file would be found out.
    let mut text = serde_json::to_vec_pretty(&file).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Writes a text down; it is on the disk when this returns.
pub(super) fn replace(dir: &StateDir, text: &[u8]) -> std::io::Result<()> {
    dir.replace(NAME, text)
}

/// Writes all of them down.
pub(super) fn write(dir: &StateDir, table: &Table) -> std::io::Result<()> {
    replace(dir, &text(table, None))
}

/// What an earlier agent wrote. A file that is missing has none; one that is wrong in any way is an error,
/// for a fresh start would let in who is revoked.
pub(super) fn read(dir: &StateDir) -> anyhow::Result<Table> {
    let path = dir.file(NAME);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Table::default()),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    parse(&text).with_context(|| {
        let path = path.display();
        format!("{path} is damaged; whoever moves it away lets in who is revoked by it")
    })
}

fn parse(text: &[u8]) -> anyhow::Result<Table> {
    let file: File = serde_json::from_slice(text)?;
    ensure!(file.version == VERSION, "version is {}: this agent reads version {VERSION}", file.version);
    ensure!(file.last_id <= MAX_ID, "last_id {} is not an id", file.last_id);
    let count = file.revocations.len();
    ensure!(count <= MAX_REVOCATIONS, "there are {count} revocations: at most {MAX_REVOCATIONS}");
    let (mut table, mut ids) = (Table::default(), BTreeSet::new());
    for Entry { id, uid, ip, created_at, expires_at, note } in file.revocations {
        ensure!(ids.insert(id), "id {id} is there twice");
        ensure!(id.get() <= file.last_id, "id {id} is above last_id {}", file.last_id);
        let subject = match (uid, ip) {
            (Some(uid), None) => {
                ensure!((1..=MAX_LABEL_BYTES).contains(&uid.len()), "uid {uid:?} of id {id} is not a user");
                Subject::Uid(uid)
            }
            (None, Some(net)) => Subject::Ip(canonical(net)),
            _ => anyhow::bail!("id {id} has not exactly one of uid and ip"),
        };
        table.insert(Revocation { id, subject, created_at, expires_at, note });
    }
    table.last_id = file.last_id;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subjects() -> impl Strategy<Value = Subject> {
        prop_oneof![
            "\\PC{1,20}".prop_map(|uid| Subject::Uid(uid.into())),
            any::<(std::net::IpAddr, u8)>().prop_map(|(ip, length)| {
                let most = if ip.is_ipv4() { 33 } else { 129 };
                Subject::Ip(canonical(IpNet::new(ip, length % most).unwrap()))
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in prop::collection::vec((subjects(), prop::option::of(0i64..1 << 40), prop::option::of(".*")), 0..20),
            without in 1u64..20,
        ) {
            let mut table = Table::default();
            for (subject, end, note) in rows {
                let (id, expires_at) = (table.next_id().unwrap(), end.map(Instant));
                table.insert(Revocation { id, subject, created_at: Instant(5), expires_at, note });
            }
            let again = parse(&text(&table, None)).unwrap();
            prop_assert!(again.all().eq(table.all()));
            prop_assert_eq!(again.last_id, table.last_id);
            let without = RevocationId::new(without).unwrap();
            let rest = parse(&text(&table, Some(without))).unwrap();
            prop_assert!(rest.all().eq(table.all().filter(|(revocation, _)| revocation.id != without)));
            prop_assert_eq!(rest.next_id(), table.next_id());
        }

        #[test]
        fn a_part_of_a_file_is_never_taken_for_the_whole(cut in 0usize..1_000) {
            let mut table = Table::default();
            for number in 0..3 {
                let id = table.next_id().unwrap();
                let subject = Subject::Uid(format!("u{number}").into());
                table.insert(Revocation { id, subject, created_at: Instant(5), expires_at: None, note: None });
            }
            let whole = text(&table, None);
            // The line feed at the end is no part of it.
            prop_assert!(parse(&whole[..cut.min(whole.len() - 2)]).is_err());
        }
    }

    #[test]
    fn each_kind_of_damage_is_named() {
        let row = r#"{"id":1,"uid":"u","created_at":"2026-11-21T12:00:00Z","expires_at":null,"note":null}"#;
        let file = |rows: &str| format!(r#"{{"version":1,"last_id":1,"revocations":[{rows}]}}"#);
        assert!(parse(file(row).as_bytes()).is_ok());
        for (text, says) in [
            (String::new(), "EOF"),
            ("[]".to_owned(), "invalid"),
            (file(row).replace("version\":1", "version\":2"), "version is 2"),
            (file(&format!("{row},{row}")), "twice"),
            (file(&row.replace("\"id\":1", "\"id\":2")), "above last_id"),
            (file(&row.replace("\"id\":1", "\"id\":0")), "0 is not an id"),
            (file(&row.replace("\"uid\":\"u\"", "\"uid\":\"\"")), "not a user"),
            (file(&row.replace("\"uid\":\"u\",", "")), "exactly one"),
            (file(&row.replace("\"uid\":\"u\"", "\"uid\":\"u\",\"ip\":\"10.0.0.0/8\"")), "exactly one"),
            (file(&row.replace("\"uid\":\"u\"", "\"ip\":\"10.0.0.0/99\"")), "IP address"),
            (file(&row.replace("\"note\"", "\"nota\"")), "nota"),
            (file(&row.replace("12:00", "25:00")), "25:00"),
        ] {
            let error = format!("{:#}", parse(text.as_bytes()).unwrap_err());
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
