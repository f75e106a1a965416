//! The rooms of the agent and their order, held against the sources: which room may use which, where
//! unsafe code and HTTP are, and how long a file may be.
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms by floor. A room uses its own files and lower floors; two rooms of one floor do not know each
/// other. `ARCHITECTURE.md` has the same table.
const FLOORS: &[(u8, &[&str])] = &[
    (TOP, &["main", "lib", "args", "agent"]),
    (9, &["control"]),
    (8, &["ops"]),
    (7, &["listener", "outbound"]),
    (6, &["relay"]),
    (5, &["identity", "policy"]),
    (4, &["conn"]),
    (3, &["registry", "record"]),
    (2, &["net", "nats"]),
    (1, &["base", "config"]),
];
/// The files of this floor put the rooms together, and are one room.
const TOP: u8 = 10;

/// Packages that only one room may use.
const RESERVED: &[(&str, &str)] = &[("axum", "control"), ("hyper", "control"), ("libc", "net")];

/// No file needs more lines than this.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust file below a folder: its path from there, and its text.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(!files.is_empty(), "{} has no sources", folder.display());
    files.sort();
    files
}

/// The sources of the agent, without the files that exist for unit tests.
fn agent() -> Vec<(String, String)> {
    let files = sources(&root().join("agent/src"));
    let for_tests: Vec<_> = files.iter().flat_map(|(path, text)| test_files(path, text)).collect();
    files.into_iter().filter(|(path, _)| !for_tests.contains(path)).collect()
}

/// The files that `#[cfg(test)] mod x;` of this file names.
fn test_files(path: &str, text: &str) -> Vec<String> {
    let path = path.strip_suffix(".rs").unwrap();
    let folder = path.strip_suffix("mod").or(path.strip_suffix("lib"));
    let folder = folder.map_or(format!("{path}/"), str::to_owned);
    let lines: Vec<_> = text.lines().collect();
    let marked = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = marked.filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("{folder}{name}.rs")).collect()
}

/// A text without comments and without test modules. Lines keep their number.
fn code(text: &str) -> String {
    let (mut lines, mut end, mut is_marked) = (Vec::new(), None::<String>, false);
    for line in text.lines() {
        if let Some(wanted) = &end {
            if line == wanted {
                end = None;
            }
            lines.push("");
            continue;
        }
        let content = line.trim_start();
        if is_marked && content.starts_with("mod ") && content.ends_with('{') {
            end = Some(format!("{}}}", &line[..line.len() - content.len()]));
        }
        is_marked = content == "#[cfg(test)]" || (is_marked && content.starts_with("#["));
        lines.push(without_comment(line));
    }
    lines.join("\n")
}

/// A line up to its comment; `://` begins none.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// The places of a word, not those of a longer one that contains it.
fn places(code: &str, word: &str) -> Vec<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |at: usize| {
        let after = &code[at + word.len()..];
        !code[..at].ends_with(is_part) && (word.ends_with(':') || !after.starts_with(is_part))
    };
    code.match_indices(word).map(|(at, _)| at).filter(|at| is_whole(*at)).collect()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// What a path goes through first, or each path of a group: `a::b` is `a`, `{a::b, c}` is `a` and `c`.
fn heads(path: &str) -> Vec<String> {
    let head = |path: &str| path.chars().take_while(|c| c.is_alphanumeric() || "_*".contains(*c)).collect();
    let Some(group) = path.strip_prefix('{') else {
        return vec![head(path)];
    };
    let (mut heads, mut depth, mut is_next) = (Vec::new(), 0, true);
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            '{' => depth += 1,
            ',' if depth == 0 => is_next = true,
            c if is_next && !c.is_whitespace() => {
                heads.push(head(&group[at..]));
                is_next = false;
            }
            _ => {}
        }
    }
    heads
}

/// The rooms that a file's code enters by a path from the root, with the line of each.
fn entered(path: &str, code: &str) -> Vec<(usize, String)> {
    let modules = path.strip_suffix(".rs").unwrap().split('/').filter(|name| *name != "mod").count();
    let mut found = Vec::new();
    for at in places(code, "crate::") {
        found.extend(heads(&code[at + "crate::".len()..]).into_iter().map(|head| (line_of(code, at), head)));
    }
    for at in places(code, "super::").into_iter().filter(|at| !code[..*at].ends_with("super::")) {
        let path = code[at..].trim_start_matches("super::");
        let end = code[at..].len() - path.len();
        // As many steps up as there are modules lead to the root.
        if end / "super::".len() >= modules {
            found.extend(heads(path).into_iter().map(|head| (line_of(code, at), head)));
        }
    }
    found
}

fn room_of(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

fn floor_of(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

/// What a file of the agent uses and may not.
fn trespasses(path: &str, text: &str) -> Vec<String> {
    let (room, code) = (room_of(path), code(text));
    let Some(own) = floor_of(room) else {
        return vec![format!("agent/src/{path}: {room} is on no floor: give it one in FLOORS")];
    };
    let mut found = Vec::new();
    for (line, other) in entered(path, &code) {
        let is_allowed = room == other || floor_of(&other).is_some_and(|floor| floor < own || own == TOP);
        if !is_allowed {
            let floor = floor_of(&other).map_or("no floor".to_owned(), |floor| format!("floor {floor}"));
            found.push(format!("agent/src/{path}:{line}: {room} (floor {own}) uses {other} ({floor})"));
        }
    }
    for (package, owner) in RESERVED.iter().filter(|(_, owner)| room != *owner) {
        for at in places(&code, &format!("{package}::")) {
            let line = line_of(&code, at);
            found.push(format!("agent/src/{path}:{line}: only {owner} uses {package}"));
        }
    }
    found
}

/// The lines of a text that have unsafe code.
fn unsafe_lines(text: &str) -> Vec<usize> {
    let code = code(text);
    places(&code, "unsafe").into_iter().map(|at| line_of(&code, at)).collect()
}

#[test]
fn a_room_uses_lower_floors_only() {
    let found: Vec<_> = agent().iter().flat_map(|(path, text)| trespasses(path, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_room_of_the_table_is_there() {
    let files = agent();
    for room in FLOORS.iter().flat_map(|(_, rooms)| *rooms) {
        assert!(files.iter().any(|(path, _)| room_of(path) == *room), "there is no {room}");
    }
}

#[test]
fn the_page_has_the_same_table() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let told: Vec<_> = page.lines().filter_map(row).collect();
    let table: Vec<_> = FLOORS
        .iter()
        .map(|(floor, rooms)| (*floor, rooms.iter().map(ToString::to_string).collect()))
        .collect();
    assert_eq!(told, table);
}

/// A row of the page's table: `| 9 | `control` | … |`.
fn row(line: &str) -> Option<(u8, Vec<String>)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    // The lowest floor is a package of its own, which cannot use the agent.
    let floor = cells.next()?.parse().ok().filter(|floor| *floor > 0)?;
    Some((floor, cells.next()?.split_whitespace().map(|room| room.trim_matches('`').to_owned()).collect()))
}

#[test]
fn a_trespass_is_found_however_it_is_written() {
    for (path, text, count) in [
        ("relay/pump.rs", "use crate::net::close;\nuse crate::relay::pair;\nuse super::pair;", 0),
        ("relay/pump.rs", "use crate::listener::Gate;", 1),
        ("relay/pump.rs", "use crate::{\n    base::clock,\n    ops::{self, Node},\n    control,\n};", 2),
        ("relay/pump.rs", "fn f(node: &crate::ops::Node) {}", 1),
        ("relay/pump.rs", "use super::super::ops::Node;", 1),
        ("relay/mod.rs", "use super::ops::Node;", 1),
        ("control/v1/mod.rs", "use super::App;\nuse super::super::ops;", 0),
        ("record/stats.rs", "use crate::registry::Conn;", 1),
        ("registry/mod.rs", "use crate::record::stats;", 1),
        ("relay/pump.rs", "use crate::*;", 1),
        ("relay/pump.rs", "use crate::no_such_room::X;", 1),
        ("attic/mod.rs", "", 1),
        ("relay/pump.rs", "/// See [`crate::ops`].\nlet a = 1; // crate::ops::run\n", 0),
        ("relay/pump.rs", "#[cfg(test)]\nmod tests {\n    use crate::ops::Node;\n}\n", 0),
        ("relay/pump.rs", "#[cfg(test)]\nmod tests {\n}\nuse crate::ops::Node;\n", 1),
        ("agent.rs", "use crate::args::RunArgs;\nuse crate::control::Server;", 0),
        ("ops/list.rs", "use axum::Router;", 1),
        ("base/clock.rs", "let now = unsafe { libc::time(null_mut()) };", 1),
        ("net/tcp_info.rs", "let answer = unsafe { libc::ioctl(1) };", 0),
    ] {
        let found = trespasses(path, text);
        assert_eq!(found.len(), count, "{path}: {text}\n{found:?}");
    }
    let found = trespasses("relay/pump.rs", "\nuse crate::listener::Gate;");
    assert_eq!(found, ["agent/src/relay/pump.rs:2: relay (floor 6) uses listener (floor 7)"]);
    assert_eq!(test_files("control/mod.rs", "#[cfg(test)]\nmod tests;\nmod v1;"), ["control/tests.rs"]);
    assert_eq!(test_files("agent.rs", "#[cfg(test)]\nmod tests;"), ["agent/tests.rs"]);
}

#[test]
fn unsafe_code_is_in_one_room() {
    for folder in ["agent/src", "agent/api/src", "cli/src"] {
        for (path, text) in sources(&root().join(folder)) {
            if folder != "agent/src" || room_of(&path) != "net" {
                assert_eq!(unsafe_lines(&text), [0; 0], "{folder}/{path}");
            }
        }
    }
    let text = "// unsafe\n#[expect(unsafe_code)]\nlet a = unsafe { 1 };\nunsafe fn b() {}\n";
    assert_eq!(unsafe_lines(text), [3, 4]);
}

#[test]
fn no_file_is_long() {
    for folder in ["agent", "cli", "tests"] {
        for (path, text) in sources(&root().join(folder)) {
            let lines = text.lines().count();
            assert!(lines <= MAX_LINES, "{folder}/{path} has {lines} lines: at most {MAX_LINES}");
        }
    }
}
