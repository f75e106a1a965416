//! Reads a batch of connections: CSV with a header, JSON lines, or words by white space. Which of them it is,
//! the first line says. Before that, and but for CSV after it, a line that begins with `#` and a space is a
//! comment.

use connctl_api::id::{ConnId, NodeId};
use connctl_api::operation::ItemRef;
use serde::Deserialize;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct BadLine {
    /// From 1.
    pub line: usize,
    pub problem: String,
}

/// What a batch holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub items: Vec<ItemRef>,
    pub bad: Vec<BadLine>,
}

/// The longest piece of a line that a message repeats.
const SHOWN_CHARS: usize = 60;

/// Reads a whole batch. Bad lines are told apart, not skipped: that is for the caller to decide. A header that
/// says nothing of `conn_id` is an error of the batch itself.
pub(crate) fn read(bytes: &[u8]) -> Result<Batch, BadLine> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = numbered(bytes).next().map(|(line, text)| (line, String::from_utf8_lossy(text).into_owned()));
    let Some((line, first)) = first else { return Ok(Batch::default()) };
    if first.starts_with('{') {
        return Ok(collect(numbered(bytes).map(|(line, text)| (line, from_json(text)))));
    }
    if first.starts_with('[') {
        let problem =
            "it is one JSON document, expected JSON lines such as `list -o jsonl` prints".to_owned();
        return Err(BadLine { line, problem });
    }
    let header = csv_cells(&first);
    let is_csv = header.iter().any(|cell| cell.trim() == "conn_id");
    if is_csv {
        return csv(bytes, line);
    }
    if first.contains(',') && from_words(first.as_bytes()).is_err() {
        let problem = format!("{} is a CSV header without a conn_id column", shown(&first));
        return Err(BadLine { line, problem });
    }
    Ok(collect(numbered(bytes).map(|(line, text)| (line, from_words(text)))))
}

fn collect(lines: impl Iterator<Item = (usize, Result<ItemRef, String>)>) -> Batch {
    let mut batch = Batch::default();
    for (line, item) in lines {
        match item {
            Ok(item) => batch.items.push(item),
            Err(problem) => batch.bad.push(BadLine { line, problem }),
        }
    }
    batch
}

/// The lines that are neither blank nor a comment, with their numbers.
fn numbered(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    lines.filter(|(_, text)| !text.is_empty() && !is_comment(text)).map(|(place, text)| (place + 1, text))
}

/// Whether this is a remark. A uid may begin with the sign, so it has to stand alone.
fn is_comment(line: &[u8]) -> bool {
    line.strip_prefix(b"#").is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// A row as `list -o jsonl` prints it: what else it has does not matter here.
#[derive(Deserialize)]
struct JsonRow {
    conn_id: ConnId,
    #[serde(default)]
    uid: Option<String>,
    #[serde(default)]
    node_id: Option<NodeId>,
}

fn from_json(text: &[u8]) -> Result<ItemRef, String> {
    match serde_json::from_slice(text) {
        Ok(JsonRow { conn_id, uid, node_id }) => Ok(ItemRef { conn_id, uid, node_id }),
        Err(error) => {
            // The place within the line is known; that it is line 1 of itself would mislead.
            let told = error.to_string();
            let told = told.split(" at line ").next().unwrap_or_default();
            Err(format!("{} is not an item: {told}", shown(&String::from_utf8_lossy(text))))
        }
    }
}

fn from_words(text: &[u8]) -> Result<ItemRef, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let words: Vec<&str> = text.split_whitespace().collect();
    match *words.as_slice() {
        // What `list -o name` prints.
        [conn_id] => item("", conn_id, ""),
        [uid, conn_id] => item(uid, conn_id, ""),
        [uid, conn_id, node_id] => item(uid, conn_id, node_id),
        _ => Err(format!("{} is not `uid conn_id [node_id]`", shown(text))),
    }
}

fn item(uid: &str, conn_id: &str, node_id: &str) -> Result<ItemRef, String> {
    let named = |field: &str, error: String| format!("{field}: {error}");
    // No id is as long as that, and the message of a whole file without a line feed would be as long as the file.
    if let Some((name, text)) =
        [("conn_id", conn_id), ("node_id", node_id)].into_iter().find(|(_, text)| text.len() > SHOWN_CHARS)
    {
        return Err(format!("{name}: {} is not an id", shown(text)));
    }
    Ok(ItemRef {
        conn_id: conn_id.parse().map_err(|error| named("conn_id", error))?,
        uid: Some(uid.to_owned()).filter(|uid| !uid.is_empty()),
        node_id: match node_id {
            "" => None,
            text => Some(text.parse().map_err(|error| named("node_id", error))?),
        },
    })
}

/// Records with a header; a quoted cell may run over several lines.
fn csv(bytes: &[u8], header_line: usize) -> Result<Batch, BadLine> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // The bad bytes show up in the line that has them.
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    };
    let mut records = csv_records(&text);
    let header = records.find(|(line, _)| *line == header_line).map(|(_, cells)| cells).unwrap_or_default();
    let place = |name: &str| header.iter().position(|cell| cell.trim() == name);
    let (conn_id, uid, node_id) = (place("conn_id"), place("uid"), place("node_id"));
    for name in ["conn_id", "uid", "node_id"] {
        if header.iter().filter(|cell| cell.trim() == name).count() > 1 {
            let problem = format!("the header has {name} twice");
            return Err(BadLine { line: header_line, problem });
        }
    }
    let columns = header.len();
    Ok(collect(records.map(|(line, cells)| {
        let cell =
            |place: Option<usize>| place.and_then(|place| cells.get(place)).map_or("", |cell| cell.as_str());
        let read = if cells.len() == columns {
            item(cell(uid), cell(conn_id).trim(), cell(node_id).trim())
        } else {
            Err(format!("it has {} cells and the header has {columns}", cells.len()))
        };
        (line, read)
    })))
}

/// The records of a CSV text with the lines they begin on; blank lines are none.
fn csv_records(text: &str) -> impl Iterator<Item = (usize, Vec<String>)> {
    let (mut rest, mut line) = (text, 1);
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let (record, after) = rest.split_at(record_end(rest));
            let (began, newlines) = (line, record.matches('\n').count());
            line += newlines;
            rest = after;
            let record = record.strip_suffix('\n').unwrap_or(record);
            let record = record.strip_suffix('\r').unwrap_or(record);
            if !record.trim().is_empty() {
                return Some((began, csv_cells(record)));
            }
        }
    })
}

/// Where the first record ends, after its line feed. Quotes count only where a cell begins with one.
fn record_end(text: &str) -> usize {
    let (mut quoted, mut at_cell_start) = (false, true);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if quoted => quoted = false,
            b'"' if at_cell_start || text.as_bytes().get(at.wrapping_sub(1)) == Some(&b'"') => quoted = true,
            b'\n' if !quoted => return at + 1,
            _ => {}
        }
        at_cell_start = byte == b',' && !quoted;
    }
    text.len()
}

/// The cells of a record.
fn csv_cells(record: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut chars = record.chars().peekable();
    loop {
        let mut cell = String::new();
        if chars.next_if_eq(&'"').is_some() {
            while let Some(c) = chars.next() {
                match c {
                    '"' if chars.next_if_eq(&'"').is_some() => cell.push('"'),
                    '"' => break,
                    c => cell.push(c),
                }
            }
        }
        while let Some(c) = chars.next_if(|c| *c != ',') {
            cell.push(c);
        }
        cells.push(cell);
        if chars.next().is_none() {
            return cells;
        }
    }
}

/// A line for a message.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(text: &str) -> Vec<(u64, Option<String>, Option<u64>)> {
        let batch = read(text.as_bytes()).unwrap();
        assert_eq!(batch.bad, []);
        batch
            .items
            .into_iter()
            .map(|item| (item.conn_id.get(), item.uid, item.node_id.map(NodeId::get)))
            .collect()
    }

    fn bad(text: &str) -> Vec<usize> {
        read(text.as_bytes()).unwrap().bad.iter().map(|bad| bad.line).collect()
    }

    #[test]
    fn words_are_uid_conn_id_and_node_id() {
        let expected =
            vec![(12, Some("u1".into()), None), (13, Some("u2".into()), Some(1)), (14, None, None)];
        assert_eq!(items("u1 12\n\n  u2\t13  1\r\n14"), expected);
        assert_eq!(bad("u1 12\nu1 x\nu1 2 3 4\nu1 0\nu1 14"), [2, 3, 4]);
    }

    #[test]
    fn comments_are_passed_over_and_a_uid_that_begins_like_one_is_not() {
        let expected = vec![(12, Some("u1".into()), None), (13, Some("#u2".into()), None)];
        assert_eq!(items("\u{feff}# the idle ones\r\nu1 12\r\n#\n  # and one more\n#u2 13\n"), expected);
        assert_eq!(items("# uid,conn_id\n{\"conn_id\":5}\n#\n"), [(5, None, None)]);
        assert_eq!(items("# of the export\nuid,conn_id\nu1,6\n"), [(6, Some("u1".into()), None)]);
        assert_eq!(bad("#12\n# 13\n14"), [1]);
        assert_eq!(items("# nothing\n"), []);
    }

    #[test]
    fn a_message_repeats_no_more_of_a_long_line_than_a_line() {
        for text in
            ["1".repeat(100_000), format!("u {}", "1".repeat(100_000)), format!("u 1 {}", "9".repeat(9_999))]
        {
            let batch = read(text.as_bytes()).unwrap();
            assert!(batch.bad[0].problem.len() < 200, "{}", batch.bad[0].problem.len());
        }
    }

    #[test]
    fn json_lines_are_rows_with_whatever_else_they_have() {
        let text =
            "{\"conn_id\":12,\"uid\":\"u1\",\"tags\":{}}\n{\"uid\":null,\"node_id\":1,\"conn_id\":13}\n";
        assert_eq!(items(text), [(12, Some("u1".into()), None), (13, None, Some(1))]);
        let text = "{\"conn_id\":12}\n{\"uid\":\"u1\"}\nnonsense\n{\"conn_id\":\"12\"}\n{\"conn_id\":-1}\n";
        assert_eq!(bad(text), [2, 3, 4, 5]);
    }

    #[test]
    fn csv_finds_its_columns_in_any_order_and_passes_over_others() {
        let text = "\u{feff}tags,conn_id,uid\r\n\"{\"\"a\"\":\"\"b,c\"\"}\",12,u1\r\n,13,\"u,\n2\"\n\n,14,\n";
        let expected =
            vec![(12, Some("u1".into()), None), (13, Some("u,\n2".into()), None), (14, None, None)];
        assert_eq!(items(text), expected);
        assert_eq!(items("conn_id\n5\n"), [(5, None, None)]);
        assert_eq!(bad("uid,conn_id\n\"a\nb\",x\nu1\nu1,2\nu,3,4\n"), [2, 4, 6]);
    }

    #[test]
    fn a_header_without_the_id_is_an_error_of_the_batch() {
        let error = read(b"\nuid,node_id\nu1,1\n").unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.to_string().contains("conn_id"));
        assert!(read(b"conn_id,uid,conn_id\n1,2,3\n").unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn nothing_is_an_empty_batch() {
        assert_eq!(read(b""), Ok(Batch::default()));
        assert_eq!(read(b"\n \n"), Ok(Batch::default()));
        assert_eq!(read(b"uid,conn_id\n"), Ok(Batch::default()));
    }

    proptest! {
        #[test]
        fn no_input_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let _ = read(&[b"uid,conn_id\n".as_slice(), &bytes].concat());
            let _ = read(&[b"{".as_slice(), &bytes].concat());
        }

        #[test]
        fn what_the_csv_writer_writes_is_read_back(rows in proptest::collection::vec((1_u64..1000, "\\PC*\n?[\",]*"), 0..20)) {
            let mut text = String::from("uid,conn_id\n");
            for (conn_id, uid) in &rows {
                crate::output::csv::quoted(uid, &mut text);
                text += &format!(",{conn_id}\n");
            }
            let uid = |uid: &str| Some(uid.to_owned()).filter(|uid| !uid.is_empty());
            let expected: Vec<_> = rows.iter().map(|(id, name)| (*id, uid(name), None)).collect();
            prop_assert_eq!(items(&text), expected);
        }
    }
}
