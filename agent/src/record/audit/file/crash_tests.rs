//! What a power cut can leave of the files: an agent goes on with all of it, has every line that was answered, and
//! takes no change by hand for a power cut.

use std::collections::BTreeMap;
use std::fs;

use connctl_api::audit::line::{AuditLine, Stop};
use connctl_api::instant::Instant;
use proptest::prelude::*;

use super::tests::Directory;
use super::*;

/// A file is full with a few lines.
const FILE_BYTES: u64 = 700;
/// What a disk writes at once; small, so that a line has several.
const BLOCK: usize = 64;

type Files = BTreeMap<String, Vec<u8>>;

fn read(directory: &Directory) -> Files {
    let entries = fs::read_dir(directory.path().parent().unwrap()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let folder = directory.path().parent().unwrap().to_owned();
    names.map(|name| (name.clone(), fs::read(folder.join(name)).unwrap())).collect()
}

fn write(directory: &Directory, files: &Files) {
    for name in read(directory).keys() {
        fs::remove_file(directory.path().with_file_name(name)).unwrap();
    }
    for (name, content) in files {
        fs::write(directory.path().with_file_name(name), content).unwrap();
    }
}

/// All lines, the oldest first.
fn text(files: &Files) -> Vec<u8> {
    let full = files.iter().filter(|(name, _)| name.starts_with("audit.jsonl.0"));
    let open = files.iter().filter(|(name, _)| *name == "audit.jsonl");
    full.chain(open).flat_map(|(_, content)| content.clone()).collect()
}

fn add(file: &mut AuditFile, count: usize, is_synced: bool) {
    let lines: Vec<_> = (0..count).map(|_| AuditLine::Stop(Stop { time: Instant(0), pid: 7 })).collect();
    file.append(lines.iter(), is_synced).unwrap();
}

/// Where the power is cut.
#[derive(Debug, Clone)]
struct Cut {
    /// What was written before, in goes: how many lines, and whether somebody waited for them.
    goes: Vec<(usize, bool)>,
    last: (usize, bool),
    /// How much of what was not synced is there.
    end: prop::sample::Index,
    /// A block of it that is not.
    hole: Option<prop::sample::Index>,
    head: prop::sample::Index,
    /// How far the step to another file has come.
    step: u8,
}

fn cuts() -> impl Strategy<Value = Cut> {
    let go = || (1_usize..4, any::<bool>());
    (
        prop::collection::vec(go(), 0..7),
        go(),
        any::<prop::sample::Index>(),
        any::<Option<prop::sample::Index>>(),
        any::<prop::sample::Index>(),
        0_u8..4,
    )
        .prop_map(|(goes, last, end, hole, head, step)| Cut { goes, last, end, hole, head, step })
}

/// The files after a power cut in the last go, and the lines that somebody had been told are there.
fn after(directory: &Directory, cut: &Cut) -> (Files, Vec<u8>) {
    let (mut file, _) = AuditFile::open(&directory.path(), FILE_BYTES).unwrap();
    let mut heads = vec![read(directory)["audit.jsonl.head"].clone()];
    // Of the file that is open: so much is on the disk for certain.
    let mut synced = 0;
    for (count, is_synced) in &cut.goes {
        let first = file.first;
        add(&mut file, *count, *is_synced);
        if file.first != first {
            synced = 0;
        }
        if *is_synced {
            synced = usize::try_from(file.bytes).unwrap();
        }
        heads.push(read(directory)["audit.jsonl.head"].clone());
    }
    let (before, first) = (read(directory), file.first);
    let told = |files: &Files, synced: usize| {
        let open = files["audit.jsonl"].len();
        let all = text(files);
        all[..all.len() - open + synced].to_vec()
    };
    let mut sure = told(&before, synced);
    add(&mut file, cut.last.0, cut.last.1);
    let mut files = read(directory);
    let is_another = file.first != first;
    if is_another {
        // It was synced as a whole before the step.
        sure = told(&before, before["audit.jsonl"].len());
        synced = 0;
    }
    let open = files.get_mut("audit.jsonl").unwrap();
    let end = synced + cut.end.index(open.len() - synced + 1);
    open.truncate(end);
    if let Some(hole) = cut.hole.filter(|_| end > synced) {
        let start = synced + hole.index(end - synced);
        let stop = (start + BLOCK).min(end);
        open[start..stop].fill(0);
    }
    files.insert("audit.jsonl.head".to_owned(), heads[cut.head.index(heads.len())].clone());
    match cut.step {
        0 if is_another => {
            let head = files["audit.jsonl.head"].clone();
            files = before;
            files.insert("audit.jsonl.head".to_owned(), head);
        }
        1 if is_another => drop(files.remove("audit.jsonl")),
        2 if is_another => files.get_mut("audit.jsonl").unwrap().clear(),
        _ => {}
    }
    (files, sure)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_a_power_cut_leaves_an_agent_goes_on_and_nothing_answered_is_lost(cut in cuts()) {
        let directory = Directory::new();
        let (files, sure) = after(&directory, &cut);
        write(&directory, &files);
        let (mut file, opened) = AuditFile::open(&directory.path(), FILE_BYTES).unwrap();
        prop_assert_eq!(opened.damage, None, "a power cut is no damage");
        let now = text(&read(&directory));
        prop_assert!(now.starts_with(&sure), "a line that was answered is gone");
        prop_assert_eq!(opened.torn_bytes, (text(&files).len() - now.len()) as u64);
        add(&mut file, 1, true);
        let report = directory.check();
        prop_assert!(report.ok, "{:?}", report);
    }

    #[test]
    fn a_line_that_the_head_knows_and_somebody_changed_is_told_also_after_a_power_cut(
        cut in cuts(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let directory = Directory::new();
        let (mut files, _) = after(&directory, &cut);
        let known = Link::read_head(&files["audit.jsonl.head"]).unwrap().seq;
        let known = usize::try_from(known).unwrap();
        let all = text(&files);
        let length: usize = all.split_inclusive(|byte| *byte == b'\n').take(known).map(<[u8]>::len).sum();
        prop_assume!(length > 0);
        let at = at.index(length);
        prop_assume!(all[at] != to);
        // The file that has it.
        let mut place = at;
        let names: Vec<_> = files.keys().filter(|name| name.starts_with("audit.jsonl.0")).cloned()
            .chain(["audit.jsonl".to_owned()]).collect();
        for name in names {
            let content = files.get_mut(&name).unwrap();
            if place < content.len() {
                content[place] = to;
                break;
            }
            place -= content.len();
        }
        write(&directory, &files);
        let (mut file, opened) = AuditFile::open(&directory.path(), FILE_BYTES).unwrap();
        // A file in the way of the next one is no line, and may be what is left of the change.
        let _ = file.append([AuditLine::Stop(Stop { time: Instant(0), pid: 7 })].iter(), true);
        let report = directory.check();
        prop_assert!(!report.ok || opened.damage.is_some(), "byte {} was changed", at);
    }
}
