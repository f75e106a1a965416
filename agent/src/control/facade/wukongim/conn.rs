//! `/conn/remove` and `/conn/kick`: one connection of one user.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use connctl_api::operation::{ItemStatus, OperationKind, SideChoice};
use tokio::sync::Semaphore;

use super::answer::{self, Fault};
use super::body::Fields;
use super::packet;
use crate::base::actor;
use crate::control::facade::profile::Profile;
use crate::control::facade::set;
use crate::ops::{self, Node};
use crate::registry::Conn;
use crate::registry::conn::Claim;

/// What operations of this facade leave as their note.
const NOTE: &str = "wukongim";
/// Between the answer to a kick and the close: in it the farewell packet reaches the client, and what is under
/// way can end.
const NOTICE: Duration = Duration::from_secs(2);
/// Kicks that wait for their time. Beyond that they do not wait.
const MAX_NOTICES: usize = 1_024;

static NOTICES: Semaphore = Semaphore::const_new(MAX_NOTICES);

/// `POST /conn/remove`: the answer comes when the connection is closed.
pub(super) async fn remove(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Fault> {
    let profile = Profile::of(&node.settings);
    let name = Name::of(&Fields::of(request).await?)?;
    let Some(conn) = named(&node, profile, &name).await? else { return Ok(answer::ok(profile)) };
    // Of several who ask at once one removes it. The others wait for that, so that what they hear is true.
    let is_ours = conn.claim(Claim::Removal);
    let items = set::operate(&node, vec![conn], OperationKind::Close, SideChoice::Both, NOTE).await;
    match items.into_iter().next().map(|item| (item.status, item.error)) {
        Some((ItemStatus::Done, _)) if is_ours => Ok(answer::ok(profile)),
        // It ended in between, by itself or by another's request.
        Some((ItemStatus::Done | ItemStatus::Skipped | ItemStatus::NotFound, _)) => {
            gone(&node, profile, &name)
        }
        Some((ItemStatus::Failed | ItemStatus::TimedOut, error)) => {
            Err(Fault::failed(error.unwrap_or_else(|| "the connection could not be closed".into())))
        }
        None => Err(Fault::failed("the agent is stopping")),
    }
}

/// `POST /conn/kick`: the answer comes at once, the close after a notice. Kicked again meanwhile, it is told once.
pub(super) async fn kick(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Fault> {
    let profile = Profile::of(&node.settings);
    let name = Name::of(&Fields::of(request).await?)?;
    let Some(conn) = named(&node, profile, &name).await? else { return Ok(answer::ok(profile)) };
    if conn.claim(Claim::Notice) {
        close_after_notice(&node, vec![conn], "server kick");
    }
    Ok(answer::ok(profile))
}

/// The answer where there is no such connection, or none that is not somebody else's to end.
fn gone(node: &Node, profile: Profile, name: &Name) -> Result<Response, Fault> {
    // Row 7.
    if profile.wukongim_tells_what_is_missing() {
        let here = node.settings.node_id.get();
        return Err(Fault::missing(format!(
            "connection {} of uid {:?} not found on node {}",
            name.conn_id,
            name.uid,
            if name.node_id == 0 { here } else { name.node_id }
        )));
    }
    Ok(answer::ok(profile))
}

/// Tells the clients of these connections, where they were identified as this system's, and closes the
/// connections when the notice is over, and no others: what came in between is not touched.
pub(super) fn close_after_notice(node: &Arc<Node>, conns: Vec<Arc<Conn>>, reason: &str) {
    ops::farewell::say(node, &conns, &packet::disconnect(reason));
    let node = Arc::clone(node);
    tokio::spawn(actor::keep(async move {
        if let Ok(_permit) = NOTICES.try_acquire() {
            tokio::time::sleep(NOTICE).await;
        }
        set::operate(&node, conns, OperationKind::Close, SideChoice::Both, NOTE).await;
    }));
}

/// The connection that a request names; `None` where there is nothing to do and the profile calls it success.
async fn named(node: &Node, profile: Profile, name: &Name) -> Result<Option<Arc<Conn>>, Fault> {
    let number = name.check(node.settings.node_id.get(), profile)?;
    let conn = match number {
        Some(number) => set::by_id(node, number).await,
        None => None,
    };
    // A user without a name is nobody: not the owner of the connections whose user is not known.
    let is_theirs =
        |conn: &Arc<Conn>| !name.uid.is_empty() && conn.labels().uid.as_deref() == Some(name.uid.as_str());
    match conn.filter(is_theirs) {
        Some(conn) => Ok(Some(conn)),
        None => gone(node, profile, name).map(|_| None),
    }
}

/// A connection as a request names it: the user is part of the name.
#[derive(Debug)]
struct Name {
    uid: String,
    conn_id: i64,
    node_id: u64,
    op_node_id: u64,
}

impl Name {
    fn of(fields: &Fields) -> Result<Self, Fault> {
        Ok(Self {
            uid: fields.text("uid")?.to_owned(),
            conn_id: fields.int64("conn_id")?,
            node_id: fields.uint64("node_id")?,
            op_node_id: fields.uint64("op_node_id")?,
        })
    }

    /// The number to look for here; `None` where there can be no such connection.
    fn check(&self, here: u64, profile: Profile) -> Result<Option<u64>, Fault> {
        if self.op_node_id != 0 && self.op_node_id != here {
            return Err(Fault::bad("node not found"));
        }
        if self.conn_id == 0 {
            return Err(Fault::bad("conn_id is 0"));
        }
        // Row 7: the document requires a user, the code looks for a user without a name.
        if self.uid.is_empty() && profile.wukongim_tells_what_is_missing() {
            return Err(Fault::bad("uid is empty"));
        }
        // Row 8: a part of the name, and never a direction to go.
        let is_here = self.node_id == 0 || self.node_id == here;
        Ok(u64::try_from(self.conn_id).ok().filter(|_| is_here))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Compat;
    use crate::control::testing::settings;

    use super::*;

    fn profile(compat: Compat) -> Profile {
        Profile::of(&settings(compat, &[]))
    }

    fn name(uid: &str, conn_id: i64, node_id: u64, op_node_id: u64) -> Name {
        Name { uid: uid.into(), conn_id, node_id, op_node_id }
    }

    #[test]
    fn the_checks_come_in_the_order_of_the_original() {
        for compat in [Compat::Documented, Compat::Actual] {
            let check = |name: Name| name.check(7, profile(compat));
            assert_eq!(check(name("", 0, 0, 9)), Err(Fault::bad("node not found")));
            assert_eq!(check(name("", 0, 0, 7)), Err(Fault::bad("conn_id is 0")));
            assert_eq!(check(name("u", 5, 0, 0)), Ok(Some(5)));
            assert_eq!(check(name("u", 5, 7, 7)), Ok(Some(5)));
            assert_eq!(check(name("u", 5, 8, 0)), Ok(None));
            assert_eq!(check(name("u", -5, 0, 0)), Ok(None));
        }
        assert_eq!(name("", 5, 0, 0).check(7, profile(Compat::Documented)), Err(Fault::bad("uid is empty")));
        assert_eq!(name("", 5, 0, 0).check(7, profile(Compat::Actual)), Ok(Some(5)));
    }
}
