//! The shared box: one home for several operators, each with a Unix user of their own.
//!
//! Decides who owns what: a service user alone can read the home; its group reaches the socket and nothing else; the kernel
//! tells the desk who an operator is (T1, T4). Founding is root's work and is done once: service user and group are made
//! where they are missing, then everything in the home is made by a process of the service user.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use clock::Clock;
use domain::actor::{Actor, Person};
use domain::agency::{Agency, HomeKind};
use domain::refusal::Refusal;
use domain::role::{Role, Scope};
use domain::time::UtcTime;
use serde_json::json;
use store::{Cause, Home, Store};

use crate::local::{unix_gid, unix_name, unix_uid};
use crate::{Done, Problem};

/// Who a shared home is founded for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The Unix user under whom the engine runs; its group, of the same name, reaches the socket.
    pub service: String,
    /// The Unix user who is the first admin.
    pub admin: String,
}

/// The set group of the founding process's child: the home's own, and nothing of root's.
const ROOT: u32 = 0;

/// What the group may do in the home and in the socket's folder: pass, not look.
const PASS: u32 = 0o710;

/// Founds a shared home, as root.
///
/// Refuses where it is not root who asks, where the admin is no user of this box, or would be root or the service user.
pub fn found(home: &Home, founding: &Founding) -> Result<Done, Problem> {
    if rustix::process::geteuid().as_raw() != ROOT {
        return Err(Refusal::rule("shared.root", "a shared home", "it is founded by root", "run it with sudo").into());
    }
    check_name(&founding.service)?;
    let admin = unix_uid(&founding.admin).ok_or_else(|| Problem::from(Refusal::not_found("user", &founding.admin)))?;
    if home.exists() {
        return Err(Refusal::nothing(format!("the home {}", home.root.display()), "it is founded already").into());
    }
    let (uid, gid) = service_user(&founding.service, &home.root)?;
    if admin == ROOT || admin == uid {
        let why = "root and the service user are nobody at a shared desk";
        return Err(
            Refusal::rule("shared.admin", founding.admin.clone(), why, "name an operator's own Unix user").into()
        );
    }
    own_folder(&home.root, uid, gid)?;
    as_service(home, uid, gid, admin)?;
    run("usermod", &["--append", "--groups", &founding.service, &founding.admin])?;
    let place = home.root.display().to_string();
    let data =
        json!({"home": place, "kind": "shared", "service": founding.service, "uid": uid, "admin": founding.admin});
    Ok(Done::new(
        format!("a shared home is at {place}; {} runs its engine, {} is its admin", founding.service, founding.admin),
        data,
    )
    .line(format!("operators reach it once they are in the group: usermod --append --groups {} USER", founding.service))
    .next(format!("setpriv --reuid {0} --regid {0} --init-groups expos --home {place} engine run", founding.service)))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let fine = (1..=31).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        && name.starts_with(|c: char| c.is_ascii_lowercase());
    if fine {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "shared.service",
            "the service user",
            "it is not a Unix user's name",
            "use small letters, as in `expos`",
        ))
    }
}

fn service_user(name: &str, home: &Path) -> Result<(u32, u32), Problem> {
    if unix_gid(name).is_none() {
        run("groupadd", &["--system", name])?;
    }
    if unix_uid(name).is_none() {
        let home = home.display().to_string();
        run(
            "useradd",
            &["--system", "--gid", name, "--home-dir", &home, "--no-create-home", "--shell", "/usr/sbin/nologin", name],
        )?;
    }
    match (unix_uid(name), unix_gid(name)) {
        (Some(uid), Some(gid)) if uid != ROOT => Ok((uid, gid)),
        (Some(_), Some(_)) => {
            Err(Refusal::rule("shared.service", name, "it is root", "name another service user").into())
        }
        (Some(_) | None, _) => {
            Err(Problem::Failed(format!("the user {name} was made and is not to be found; look into /etc/passwd")))
        }
    }
}

fn own_folder(root: &Path, uid: u32, gid: u32) -> Result<(), Problem> {
    let failed = |e: std::io::Error| Problem::Failed(format!("the folder {} cannot be made: {e}", root.display()));
    if let Some(above) = root.parent() {
        std::fs::create_dir_all(above).map_err(failed)?;
        // What leads to the home may be passed by everybody, or no operator would reach it.
        let mode = std::fs::metadata(above).map_err(failed)?.permissions().mode();
        if mode & 0o011 != 0o011 {
            let why = format!(
                "{} lets nobody pass (mode {:o}), so no operator could reach the socket",
                above.display(),
                mode & 0o7777
            );
            return Err(Refusal::rule(
                "shared.path",
                root.display().to_string(),
                why,
                "choose a folder such as /var/lib/expos",
            )
            .into());
        }
    }
    std::fs::create_dir(root).map_err(failed)?;
    std::os::unix::fs::chown(root, Some(uid), Some(gid)).map_err(failed)
}

/// Makes everything in the home as its service user, in a process of its own: nothing in it ever belonged to root.
fn as_service(home: &Home, uid: u32, gid: u32, admin: u32) -> Result<(), Problem> {
    let failed = |why: String| Problem::Failed(format!("the home cannot be made as its service user: {why}"));
    let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
    let output = Command::new(program)
        .env_clear()
        .arg("--home")
        .arg(&home.root)
        .args(["init", "--shared", "--as-service", &admin.to_string()])
        .uid(uid)
        .gid(gid)
        .stdin(Stdio::null())
        .current_dir("/")
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().chars().take(400).collect()))
}

/// The service user's part of founding: folders, key and store; then the group may pass.
pub fn found_as_service(home: &Home, admin: u32, clock: Arc<dyn Clock>) -> Result<Done, Problem> {
    let name = unix_name(admin).ok_or_else(|| Problem::from(Refusal::not_found("user", &admin.to_string())))?;
    let person = Person { uid: admin, name: name.clone(), role: Role::Admin, scope: Scope::All };
    let at = UtcTime::from(clock.wall());
    let actor = Actor::from(&person);
    Store::create(home, Agency::found(HomeKind::Shared, person, at), Cause::new(actor, "init --shared"), clock)?;
    for folder in [&home.root, &home.run()] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(PASS))
            .map_err(|e| Problem::Failed(format!("{}: {e}", folder.display())))?;
    }
    Ok(Done::new(format!("a shared home with {name} as admin"), json!({"admin": name})))
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Problem> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(Problem::Failed(format!(
            "{program} {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
        Err(error) => Err(Problem::Failed(format!("{program} cannot be run: {error}; install the package `passwd`"))),
    }
}
