//! The lines of a batch file.

#[allow(dead_code, unreachable_pub, reason = "the command's file as it is")]
#[path = "../../../cli/src/bulk/batch.rs"]
mod read;

/// Every line is an item or is told to be wrong, once.
pub(crate) fn file(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match read::read(bytes) {
        Ok(batch) => {
            assert!(batch.items.len() + batch.bad.len() <= lines);
            assert!(batch.bad.iter().all(|bad| (1..=lines).contains(&bad.line)));
            assert!(batch.bad.windows(2).all(|pair| pair[0].line < pair[1].line));
        }
        Err(bad) => assert!((1..=lines).contains(&bad.line) && !bad.problem.is_empty()),
    }
}
