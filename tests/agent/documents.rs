//! What the documents point to exists.
use std::fs;
use std::path::Path;

const DOCUMENTS: &[&str] =
    &["README.md", "ARCHITECTURE.md", ".github/CONTRIBUTING.md", "tests/bench/README.md"];

/// Where paths between backticks begin, from the project's top.
const PLACES: &[&str] = &["agent/", "cli/", "tests/", "completions/", ".github/", ".ci/"];

/// The targets of `[text](target)`, without anchors and without other sites.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    files.filter(|file| !file.is_empty() && !file.contains("://")).collect()
}

/// The paths between backticks, patterns and commands apart.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let paths = quoted.filter(|text| PLACES.iter().any(|place| text.starts_with(place)));
    paths.filter(|text| !text.contains([' ', '*', '<'])).collect()
}

#[test]
fn every_file_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
        for link in links(&text) {
            assert!(path.parent().unwrap().join(link).exists(), "{document} links to {link}");
        }
        for name in paths(&text) {
            assert!(root.join(name).exists(), "{document} names {name}");
        }
    }
}

/// The tests that a table row names after the link to their file: `[text](file) `test`, `test`; [text](file) …`.
fn named_tests(row: &str) -> Vec<(&str, Vec<&str>)> {
    let files = row.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    files.map(|(file, rest)| (file, rest.split('`').skip(1).step_by(2).collect())).collect()
}

#[test]
fn every_promise_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let (_, section) = readme.split_once("| promise | test |\n|---|---|\n").expect("the table of promises");
    let rows: Vec<_> = section.lines().take_while(|line| line.starts_with('|')).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let tests = named_tests(row);
        assert!(tests.iter().any(|(_, names)| !names.is_empty()), "nothing proves this: {row}");
        for (file, names) in tests {
            let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            for name in names {
                let test = format!("#[test]\nfn {name}() {{");
                assert!(text.contains(&test), "{file} has no test {name}");
            }
        }
    }
}

#[test]
fn links_and_paths_are_found() {
    assert_eq!(
        named_tests("| a `x` | [b](c.rs) `d`, `e`; [f](g.rs) |"),
        [("c.rs", vec!["d", "e"]), ("g.rs", vec![])]
    );
    let text = "[a](b/c.md#d) [e](https://f) [g](#h)\n`agent/src` `agent/*.rs` `tests/run NAME` `other/x`\n";
    assert_eq!(links(text), ["b/c.md"]);
    assert_eq!(paths(text), ["agent/src"]);
}
