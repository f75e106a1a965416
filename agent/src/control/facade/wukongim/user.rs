//! `/user/device_quit` and `/user/onlinestatus`: the connections of users.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::answer::{self, Fault};
use super::body::Fields;
use super::{conn, device};
use crate::control::extract::{SMALL_BODY_BYTES, read};
use crate::control::facade::profile::Profile;
use crate::control::facade::set;
use crate::ops::Node;

/// What this system says to a body that it cannot read on these paths.
const BAD_FORMAT: &str = "数据格式有误！";

/// `POST /user/device_quit`: the connections of a user from one kind of device, or from all.
pub(super) async fn device_quit(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Fault> {
    let fields = Fields::of(request).await?;
    let (uid, flag) = (fields.text("uid")?, fields.int64("device_flag")?);
    if uid.is_empty() {
        return Err(Fault::bad("uid is empty"));
    }
    let mut conns = set::of_user(&node, uid).await;
    if flag != device::ALL {
        conns.retain(|conn| device::flag(conn.labels().device.as_deref()) == flag);
    }
    conn::close_after_notice(&node, conns, "");
    Ok(answer::ok(Profile::of(&node.settings)))
}

/// A connection of a user who is online.
#[derive(Debug, Serialize)]
struct Online {
    uid: String,
    device_flag: i64,
    online: u8,
}

/// `POST /user/onlinestatus`: one item a connection, so a user may come more than once.
pub(super) async fn online_status(
    State(node): State<Arc<Node>>,
    request: Request,
) -> Result<Response, Fault> {
    let bytes = read(request, SMALL_BODY_BYTES).await?;
    let uids: Vec<String> = serde_json::from_slice(&bytes).map_err(|_| Fault::bad(BAD_FORMAT))?;
    if uids.is_empty() {
        return Ok(answer::ok(Profile::of(&node.settings)));
    }
    let mut online = Vec::new();
    for uid in uids {
        for conn in set::of_user(&node, &uid).await {
            let device_flag = device::flag(conn.labels().device.as_deref());
            online.push(Online { uid: uid.clone(), device_flag, online: 1 });
        }
    }
    Ok(Json(online).into_response())
}
