//! The audit: its lines, its head, and its files as a crash or somebody with an editor leaves them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use connctl_agent::ops;
use connctl_agent::record::audit::{Audit, Opened};
use connctl_api::audit::chain::{Line, Link, TORN, Verifier, seal};
use connctl_api::audit::fold::{Filter, Fold};
use connctl_api::audit::line::{AuditLine, Numbered, Stop};
use connctl_api::audit::{AuditReport, AuditRow};
use connctl_api::id::NodeId;
use connctl_api::instant::Instant;
use serde_json::Value;

use crate::input::{parts, some_place};

/// Lines of the audit that is changed, and the size of its files in bytes: there are several.
const LINES: usize = 14;
const FILE_BYTES: u64 = 600;
const NAME: &str = "audit.jsonl";
const HEAD: &str = "audit.jsonl.head";

/// Texts of lines and of heads.
pub(crate) fn lines(bytes: &[u8]) {
    if let Some(head) = Link::read_head(bytes) {
        assert_eq!(head.head().as_bytes(), bytes, "there is one way to write it");
    }
    assert!(Line::read(bytes).is_none(), "nobody guesses a SHA-256");
    let (mut chain, mut last) = (Vec::new(), Link::START);
    let mut fold = Fold::new(Filter::default());
    for part in parts(bytes) {
        if let Some(row) = fold.line(part) {
            let text = serde_json::to_vec(&row).expect("a row is JSON");
            let again: AuditRow = serde_json::from_slice(&text).expect("it was a row");
            // A time before 1970 is told as 1970, and then stays so.
            let is_same = serde_json::to_vec(&again).expect("JSON") == text;
            assert!(has_fraction(&serde_json::to_value(&row).expect("JSON")) || is_same, "{row:?}");
        }
        if let Ok(Numbered { line, .. }) = serde_json::from_slice::<Numbered>(part) {
            let mut text = Vec::new();
            seal(last, &line.fields(), &mut text);
            let again: Numbered = serde_json::from_slice(&text).expect("it was a line");
            let is_same = (again.seq, again.line.fields()) == (last.seq + 1, line.fields());
            assert!(has_fraction(&serde_json::to_value(&line).expect("JSON")) || is_same, "{line:?}");
        }
        // What a line says is nothing to the chain: what looks like the end of a line is none.
        if let Ok(fields) = std::str::from_utf8(part)
            && !fields.contains('\n')
        {
            last = seal(last, fields, &mut chain);
        }
    }
    let check = |chain: &[u8]| {
        let mut verifier = Verifier::new(Some(last));
        chain.split_inclusive(|byte| *byte == b'\n').for_each(|line| verifier.line("", 0, line));
        verifier.finish("", 0)
    };
    let report = check(&chain);
    assert!(report.ok && report.last_seq == last.seq, "{report:?}");
    if !chain.is_empty() {
        let at = some_place(&[bytes, &chain].concat()) % chain.len();
        let mut changed = chain.clone();
        changed[at] ^= 1 << (bytes.len() % 8);
        assert!(!check(&changed).ok, "a bit of byte {at} was changed");
        assert!(!check(&chain[..at]).ok, "cut at {at}");
    }
}

/// A number with a fraction may come back as its neighbour.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(all) => all.iter().any(has_fraction),
        Value::Object(all) => all.values().any(has_fraction),
        _ => false,
    }
}

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;

fn folder(name: &str) -> PathBuf {
    let path = crate::scratch().join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

fn read(folder: &Path) -> Files {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    names.map(|name| (name.clone(), std::fs::read(folder.join(name)).expect("a file"))).collect()
}

/// An audit as its agent leaves it, with the head at each of its lines.
fn original() -> &'static (Files, Vec<Link>) {
    static ORIGINAL: OnceLock<(Files, Vec<Link>)> = OnceLock::new();
    ORIGINAL.get_or_init(|| {
        let folder = folder("audit-original");
        let mut links = vec![Link::START];
        for number in 0..LINES {
            let (audit, opened) = Audit::open(&folder.join(NAME), FILE_BYTES).expect("an audit");
            assert_eq!(opened, Opened { torn_bytes: 0, damage: None });
            let pid = number as u32;
            audit.tell(AuditLine::Stop(Stop { time: Instant(1_795_262_400_000), pid }), None);
            audit.close();
            links.push(audit.head());
        }
        let files = read(&folder);
        assert!(files.len() > 3 && check(&files).ok);
        (files, links)
    })
}

/// The files with lines, the oldest first.
fn in_order(files: &Files) -> Vec<&Vec<u8>> {
    let number = |name: &str| name.strip_prefix(NAME)?.strip_prefix('.')?.parse::<u64>().ok();
    let mut full: Vec<_> =
        files.iter().filter_map(|(name, content)| Some((number(name)?, content))).collect();
    full.sort_by_key(|(number, _)| *number);
    full.into_iter().map(|(_, content)| content).chain(files.get(NAME)).collect()
}

/// What `connctl audit verify` says of files.
fn check(files: &Files) -> AuditReport {
    let head = files.get(HEAD).map(|text| Link::read_head(text));
    let mut verifier = Verifier::new(head.flatten());
    for content in in_order(files) {
        verifier.begin_file();
        content.split_inclusive(|byte| *byte == b'\n').for_each(|line| verifier.line("", 0, line));
    }
    if head.is_none_or(|head| head.is_none()) {
        verifier.wrong(HEAD, "is no head");
    }
    verifier.finish("", 0)
}

/// Changes the files: each part is what is done, to which file, where (two bytes), and with which bytes.
fn changed(bytes: &[u8]) -> Files {
    let (mut files, links) = original().clone();
    for part in parts(bytes) {
        let [what, which, high, low, data @ ..] = part else { continue };
        let names: Vec<_> = files.keys().cloned().collect();
        let Some(name) = names.get(usize::from(*which) % names.len().max(1)).cloned() else { continue };
        let at = usize::from(*high) << 8 | usize::from(*low);
        let Some(content) = files.get_mut(&name) else { continue };
        match what {
            b'c' => content.truncate(at),
            b'e' => content.truncate(content.len().saturating_sub(at)),
            b'a' => content.extend_from_slice(data),
            b'w' => content.iter_mut().skip(at).zip(data).for_each(|(old, new)| *old = *new),
            b'f' => content.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (data.len() % 8)),
            b'z' => content.iter_mut().skip(at).for_each(|byte| *byte = 0),
            b'i' => drop(content.splice(at.min(content.len())..at.min(content.len()), data.iter().copied())),
            b'd' => drop(files.remove(&name)),
            b'l' => {
                let mut lines: Vec<_> = content.split_inclusive(|byte| *byte == b'\n').collect();
                if !lines.is_empty() {
                    let line = lines.remove(at % lines.len());
                    // Taken out, or put elsewhere.
                    if let Some(to) = data.first() {
                        lines.insert(usize::from(*to) % (lines.len() + 1), line);
                    }
                }
                *content = lines.concat();
            }
            // The head as it was earlier.
            b'h' => drop(files.insert(HEAD.to_owned(), links[at % links.len()].head().into_bytes())),
            // Somebody else's line, in a chain of its own.
            b's' => {
                let fields = String::from_utf8_lossy(data).replace('\n', " ");
                seal(links[at % links.len()], &fields, content);
            }
            _ => {}
        }
    }
    files
}

fn counts(files: &Files) -> HashMap<&[u8], usize> {
    let mut counts = HashMap::new();
    for line in in_order(files).into_iter().flat_map(|content| content.split_inclusive(|byte| *byte == b'\n'))
    {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

/// The files after whatever was done to them: what is not as it was written is found, an agent goes on with them
/// and takes no line away, and what was wrong is still told afterwards.
pub(crate) fn files(bytes: &[u8]) {
    let (_, links) = original();
    let text = in_order(&original().0).into_iter().flatten().copied().collect::<Vec<_>>();
    let files = changed(bytes);
    let before = check(&files);
    let now: Vec<u8> = in_order(&files).into_iter().flatten().copied().collect();
    // A chain of the input's own is as good as any, where its head fits: `s` makes such lines.
    let is_forged = parts(bytes).any(|part| part.first() == Some(&b's'));
    if is_forged && now.contains(&0) {
        // No line that an agent writes has a zero: it takes one for a hole, whatever its hash says.
        return;
    }
    if before.ok && !is_forged {
        let known = Link::read_head(&files[HEAD]).expect("a head").seq;
        assert!(text.starts_with(&now) && (now.is_empty() || now.ends_with(b"\n")), "{before:?}");
        assert!(before.last_seq >= known && links.len() as u64 > known, "{before:?}");
    }

    let folder = folder("audit-files");
    for (name, content) in &files {
        std::fs::write(folder.join(name), content).expect("a file");
    }
    let (audit, opened) = Audit::open(&folder.join(NAME), FILE_BYTES).expect("an agent starts all the same");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(ops::audit::started(&audit, &opened, NodeId::new(1).expect("an id")));
    audit.close();
    let later = read(&folder);
    let after = check(&later);
    // A line with a hole in it, which the head does not know, is taken for what a power cut left.
    let is_hole = opened.torn_bytes > 0 && now.contains(&0);
    if before.ok {
        assert_eq!(opened, Opened { torn_bytes: 0, damage: None }, "{before:?}");
        assert!(after.ok && after.last_seq == before.last_seq + 1, "{before:?} {after:?}");
    } else if after.ok {
        // What a crash leaves, a lost head, or all of it gone: the new line tells of it, unless nothing is left.
        let is_told = opened.damage.is_some() || opened.torn_bytes > 0;
        assert!(is_told || now.is_empty(), "{before:?} is forgotten");
        let is_torn = is_hole || before.problems.iter().all(|found| found.problem == TORN);
        assert!(is_torn || opened.damage.is_some() || now.is_empty(), "{before:?} {opened:?}");
    }
    if is_hole {
        // What stands behind it goes with it.
        return;
    }
    let (old, new) = (counts(&files), counts(&later));
    for (line, count) in old.into_iter().filter(|(line, _)| line.ends_with(b"\n")) {
        assert!(new.get(line).is_some_and(|found| *found >= count), "a line was taken away: {line:?}");
    }
}
