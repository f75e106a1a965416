//! Where the chain of a file ends, and whether that is where it should.

use std::io;

use connctl_api::audit::chain::{Line, Link};

/// What is wrong where the head knows another line than the file has.
pub(super) const ANOTHERS: &str = "its head is another's";

/// Where the chain goes on. What the head knows counts where lines that it knows are gone, so that the hole
/// stays to be seen.
pub(super) fn end_of(content: &[u8], head: Option<Link>) -> (Link, Option<&'static str>) {
    let lines = content.strip_suffix(b"\n").unwrap_or(content);
    let last = lines.rsplit(|byte| *byte == b'\n').next().filter(|_| !content.is_empty());
    // A full file had its end before another was begun.
    let read = last.map(|line| Line::read(line).filter(|_| content.ends_with(b"\n")));
    match (read, head) {
        (None, None) => (Link::START, None),
        (Some(Some(line)), None) => (line.link, Some("its head is missing")),
        // The head may be behind, and then the line that it knows is further up.
        (Some(Some(line)), Some(head)) if head.seq < line.link.seq => {
            (line.link, is_anothers(content, head).then_some(ANOTHERS))
        }
        (Some(Some(line)), Some(head)) if head == line.link => (line.link, None),
        (Some(Some(line)), Some(head)) if head.seq == line.link.seq => (line.link, Some(ANOTHERS)),
        (None, Some(head)) if head == Link::START => (head, None),
        (None | Some(Some(_)), Some(head)) => (head, Some("its last lines are missing")),
        (Some(None), Some(head)) => (head, Some("its last line was changed")),
        (Some(None), None) => (Link::START, Some("its last line was changed, and its head is missing")),
    }
}

/// Whether lines hold another one in the place of the line that the head knows.
pub(super) fn is_anothers(content: &[u8], head: Link) -> bool {
    let mut links =
        content.rsplit(|byte| *byte == b'\n').filter_map(|line| Line::read(line).map(|line| line.link));
    links.any(|link| link.seq == head.seq && link != head)
}

/// Where lines begin that a power cut left holes in. What was not synced may reach the disk in any order, and where
/// it did not, the file has zeros, which no line has. Only behind what the head knows, and behind lines that are
/// right: a hole elsewhere is nothing that a power cut does.
pub(super) fn hole_in(
    content: &[u8],
    head: Option<Link>,
    before: impl FnOnce() -> io::Result<Vec<u8>>,
) -> io::Result<Option<usize>> {
    let (Some(zero), Some(head)) = (content.iter().position(|byte| *byte == 0), head) else {
        return Ok(None);
    };
    let (good, _) = content.split_at(zero);
    let start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let earlier = if start == 0 { before()? } else { Vec::new() };
    let (last, damage) = match (start, earlier.is_empty()) {
        (0, true) => (Link::START, None),
        (0, false) => end_of(&earlier, Some(head)),
        _ => end_of(content.get(..start).unwrap_or_default(), Some(head)),
    };
    Ok((damage.is_none() && last.seq >= head.seq).then_some(start))
}
