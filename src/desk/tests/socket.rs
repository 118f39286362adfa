//! The socket: who speaks is what the kernel says, and who answers is checked as well (T1, T2, T3, T6, T7).

use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use domain::agency::HomeKind;
use domain::hash::Digest;
use domain::role::Role;
use rustix::process::Uid;
use serde_json::{Value, json};
use store::Open;
use tokio::sync::oneshot;

use super::fixture::*;
use crate::remote::{Reached, Remote};
use crate::server::{ServeError, bind, serve};
use crate::{Answer, Command, Problem, Query};

const OLEG: u32 = 2001;
const STRANGERS: [u32; 3] = [0, 4242, 65_534];

/// Runs something on a thread of its own that the kernel takes for another Unix user.
fn as_user<T: Send + 'static>(uid: u32, function: impl FnOnce() -> T + Send + 'static) -> T {
    let run = move || {
        let uid = Uid::from_raw(uid);
        rustix::thread::set_thread_res_uid(Some(uid), Some(uid), Some(uid))
            .expect("these tests speak as several Unix users: run them as root");
        function()
    };
    std::thread::spawn(run).join().unwrap()
}

/// A served home that any user can get at, so that the desk alone says no.
struct Served {
    world: World,
    stop: Option<oneshot::Sender<()>>,
}

fn open_to_all(world: &World) {
    let folder = world.home.root.parent().unwrap().to_owned();
    for (path, mode) in [(folder, 0o755), (world.home.root.clone(), 0o755), (world.home.run(), 0o755)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

impl Served {
    async fn new() -> Self {
        let world = World::on_disk(HomeKind::Shared, Open::Owner);
        world.client("alpha").await;
        world.client("beta").await;
        world.grant(OLEG, Role::Operator, &["alpha"]).await;
        open_to_all(&world);
        let listener = bind(&world.home.socket()).unwrap();
        std::fs::set_permissions(world.home.socket(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(world.desk.clone(), listener, async move { drop(stopped.await) }));
        Self { world, stop: Some(stop) }
    }

    /// Sends bytes as a user and returns status and body.
    async fn send(&self, uid: u32, request: Vec<u8>) -> (u16, String) {
        let socket = self.world.home.socket();
        tokio::task::spawn_blocking(move || as_user(uid, move || exchange(&socket, &request))).await.unwrap()
    }

    async fn post(&self, uid: u32, path: &str, body: &Value) -> (u16, String) {
        self.send(uid, post(path, "idempotency-key: 00000000000000000000000001\r\n", &body.to_string())).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

fn get(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n\r\n").into_bytes()
}

fn exchange(socket: &Path, request: &[u8]) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    // The desk may answer and hang up before it has read everything.
    drop(stream.write_all(request));
    let mut all = Vec::new();
    drop(stream.read_to_end(&mut all));
    let text = String::from_utf8(all).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, body.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desk_knows_a_person_by_the_kernels_word_alone() {
    let served = Served::new().await;
    for (uid, role) in [(ADA, "admin"), (OLEG, "operator")] {
        let (status, body) =
            served.post(uid, "/v1/queries", &json!({"ask": "who_am_i", "uid": 0, "role": "admin"})).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (status, &answer["value"]["uid"], &answer["value"]["role"]),
            (200, &json!(uid), &json!(role)),
            "{body}"
        );
    }
    let (status, body) = served.post(OLEG, "/v1/commands", &json!({"do": "user_revoke", "uid": ADA})).await;
    assert_eq!(status, 403, "{body}");
    let forged = json!({"do": "user_revoke", "uid": ADA, "actor": {"uid": ADA}});
    assert_eq!(served.post(OLEG, "/v1/commands", &forged).await.0, 422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_learns_nothing_whatever_they_send() {
    let served = Served::new().await;
    let before = served.world.desk.store().anchor();
    let expected = serde_json::to_string(&Problem::stranger()).unwrap();
    let key = "idempotency-key: 00000000000000000000000001\r\n";
    for uid in STRANGERS {
        for request in [
            post("/v1/queries", "", r#"{"ask": "client_list"}"#),
            post("/v1/queries", "", "no json"),
            post("/v1/commands", key, r#"{"do": "pause", "target": {"what": "agency"}, "reason": "x"}"#),
            post("/v1/commands?dry_run=true", key, r#"{"do": "pause", "target": {"what": "agency"}, "reason": "x"}"#),
            post("/v1/commands", "", "{}"),
            post("/v1/commands?dry_run=perhaps&more=1", key, "{}"),
            get("GET", "/v1/health"),
            get("GET", "/v1/events?after=0"),
            get("GET", "/v1/events?after=x"),
            get("GET", "/v1/openapi.json"),
            get("GET", "/v1/commands"),
            get("DELETE", "/v1/queries"),
            get("GET", "/"),
        ] {
            let shown = String::from_utf8_lossy(&request).into_owned();
            assert_eq!(served.send(uid, request).await, (403, expected.clone()), "{uid}: {shown}");
        }
        let (status, _) = served.send(uid, post("/v1/commands", key, &"x".repeat(2 * 1024 * 1024))).await;
        assert!(status == 403 || status == 0, "{status}");
    }
    assert_eq!(served.world.desk.store().anchor(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_long_unknown_or_malformed_is_refused_without_repeating_it() {
    let served = Served::new().await;
    let before = served.world.desk.store().anchor();
    let key = "idempotency-key: 00000000000000000000000001\r\n";
    let pad = |bytes: usize| {
        let body = r#"{"do": "pause", "target": {"what": "agency"}, "reason": "#.to_owned();
        format!("{body}\"{}\"}}", "y".repeat(bytes))
    };
    let (status, body) = served.send(ADA, post("/v1/commands", key, &pad(1024 * 1024))).await;
    assert!(status == 422 || status == 0, "{status} {body}");
    let chunked = "transfer-encoding: chunked\r\n";
    let request = format!("POST /v1/commands HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n{key}{chunked}\r\n");
    let mut request = request.into_bytes();
    for _ in 0..40 {
        request.extend(format!("8000\r\n{}\r\n", "z".repeat(0x8000)).into_bytes());
    }
    request.extend(b"0\r\n\r\n");
    let (status, body) = served.send(ADA, request).await;
    assert!(status == 422 || status == 0, "{status} {body}");
    let (status, body) = served.send(ADA, get("GET", "/v1/nothing")).await;
    assert_eq!((status, body.contains("nothing at that address")), (404, true), "{body}");
    let secret = "hunter2-hunter2";
    for bad in [
        format!("{{\"do\": \"account_connect\", \"password\": \"{secret}\""),
        format!("{{\"do\": \"account_connect\", \"password\": [\"{secret}\"]}}"),
        format!("{{\"do\": \"account_connect\", \"{secret}\": 1}}"),
        format!("{{\"do\": \"{secret}\"}}"),
        format!("\"{secret}\""),
        String::new(),
    ] {
        for path in ["/v1/commands", "/v1/queries"] {
            let (status, body) = served.send(ADA, post(path, key, &bad)).await;
            assert_eq!(status, 422, "{body}");
            let problem: Problem = serde_json::from_str(&body).unwrap();
            assert!(!body.contains(secret) && problem.exit_code() == 8, "{body}");
        }
    }
    for header in ["", "idempotency-key: short\r\n"] {
        let body = r#"{"do": "pause", "target": {"what": "agency"}, "reason": "x"}"#;
        let (status, body) = served.send(ADA, post("/v1/commands", header, body)).await;
        assert_eq!((status, body.contains("Idempotency-Key")), (422, true), "{body}");
    }
    assert_eq!(served.world.desk.store().anchor(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_sent_again_after_a_break_is_done_once() {
    let served = Served::new().await;
    let body = json!({"do": "pause", "target": {"what": "client", "name": "alpha"}, "reason": "x"});
    let before = served.world.desk.store().anchor().n;
    let dry = served.post(OLEG, "/v1/commands?dry_run=true", &body).await;
    assert_eq!((dry.0, served.world.desk.store().anchor().n), (200, before));
    let first = served.post(OLEG, "/v1/commands", &body).await;
    assert_eq!((first.0, served.world.desk.store().anchor().n), (200, before + 1));
    assert_eq!(served.post(OLEG, "/v1/commands", &body).await, first);
    assert_eq!(served.world.desk.store().anchor().n, before + 1);
    let hidden = json!({"do": "pause", "target": {"what": "client", "name": "beta"}, "reason": "x"});
    let request = post("/v1/commands", "idempotency-key: 00000000000000000000000002\r\n", &hidden.to_string());
    assert_eq!(served.send(OLEG, request).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_other_clients_are_not_pushed() {
    let served = Served::new().await;
    let socket = served.world.home.socket();
    let after = served.world.desk.store().anchor().n;
    let pause = |name: &str, why: &str| Command::Pause {
        target: crate::Stoppable::Client(client(name)),
        reason: why.to_owned(),
    };
    let reading = tokio::task::spawn_blocking(move || {
        as_user(OLEG, move || {
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(&get("GET", &format!("/v1/events?after={after}"))).unwrap();
            let (mut text, mut some) = (String::new(), [0_u8; 4096]);
            while !text.contains("the last") {
                let n = stream.read(&mut some).unwrap();
                assert!(n > 0, "the stream ended: {text}");
                text.push_str(&String::from_utf8_lossy(&some[..n]));
            }
            text
        })
    });
    for turn in 0..5 {
        served.world.act(ADA, pause("beta", &format!("hidden {turn}"))).await;
        served.world.act(ADA, pause("alpha", &format!("shown {turn}"))).await;
        served.world.grant(2002, if turn % 2 == 0 { Role::Viewer } else { Role::Operator }, &["beta"]).await;
    }
    served.world.act(ADA, pause("alpha", "the last")).await;
    let text = reading.await.unwrap();
    for turn in 0..5 {
        assert!(text.contains(&format!("shown {turn}")), "{text}");
    }
    assert!(!text.contains("beta") && !text.contains("hidden") && !text.contains("2002"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_side_of_the_socket_speaks_the_same_language() {
    let served = Served::new().await;
    let home = served.world.home.clone();
    let near = served.world.ask(OLEG, Query::ClientList).await;
    let far = tokio::task::spawn_blocking(move || {
        as_user(OLEG, move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let Reached::Yes(remote) = Remote::reach(&home).await.unwrap() else { panic!("nobody is there") };
                let hidden = remote.ask(&Query::ClientShow { client: client("beta") }).await.unwrap_err();
                assert_eq!(hidden.exit_code(), 4);
                remote.ask(&Query::ClientList).await.unwrap()
            })
        })
    });
    assert_eq!(far.await.unwrap(), near);
    assert!(matches!(near, Answer::Clients(list) if list.len() == 1));
}

/// Somebody else's server on the socket's path; gives what it was sent.
fn squat(socket: PathBuf) -> std::thread::JoinHandle<Vec<u8>> {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        as_user(4242, move || {
            let listener = UnixListener::bind(&socket).unwrap();
            ready.send(()).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            let mut sent = Vec::new();
            drop(stream.read_to_end(&mut sent));
            sent
        })
    });
    is_ready.recv().unwrap();
    thread
}

#[tokio::test]
async fn another_unix_user_sees_a_picture_whose_file_they_cannot_read() {
    let served = Served::new().await;
    let code = served.world.pictured(ADA, &BriefText::new("alpha", "rye", "2027-03-02")).await;
    let digest = Digest::of(PICTURE);
    let name = digest.to_string();
    let file = served.world.home.content_store().join(name.chars().take(2).collect::<String>()).join(&name);
    let read = as_user(OLEG, move || std::fs::read(file).map_err(|e| e.kind()));
    assert_eq!(read, Err(std::io::ErrorKind::PermissionDenied));
    let ask = json!({"ask": "picture", "experiment": code, "digest": name, "width": 30, "height": 30});
    let (status, body) = served.post(OLEG, "/v1/queries", &ask).await;
    assert_eq!(status, 200, "{body}");
    let Ok(Answer::Picture(small)) = serde_json::from_str(&body) else { panic!("{body}") };
    assert_eq!((small.width, small.height, small.rows().len()), (30, 20, 20));
    for stranger in STRANGERS {
        assert_eq!(served.post(stranger, "/v1/queries", &ask).await.0, 403);
    }
}

#[tokio::test]
async fn a_server_that_another_user_runs_is_not_believed_and_told_nothing() {
    let world = World::on_disk(HomeKind::Shared, Open::Inline);
    open_to_all(&world);
    std::fs::set_permissions(world.home.run(), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(Remote::reach(&world.home).await, Ok(Reached::Nobody)));
    let squatter = squat(world.home.socket());
    let told = Remote::reach(&world.home).await;
    match told {
        Err(problem @ Problem::Unreachable(_)) => {
            assert!(problem.to_string().contains("nothing was sent"), "{problem}");
            assert_eq!(problem.exit_code(), 7);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(squatter.join().unwrap(), b"");
    // The owner takes its place back; whoever found it right before finds the next squatter out, too.
    let mine = bind(&world.home.socket()).unwrap();
    let Ok(Reached::Yes(remote)) = Remote::reach(&world.home).await else { panic!("not reached") };
    drop(mine);
    std::fs::remove_file(world.home.socket()).unwrap();
    let squatter = squat(world.home.socket());
    let command = connect_command("alpha", "alpha-bs");
    let told = remote.act(world.id(), &command, crate::Mode::Do).await;
    assert!(matches!(told, Err(Problem::Unreachable(_))), "{told:?}");
    assert_eq!(squatter.join().unwrap(), b"");
}

#[tokio::test]
async fn a_dead_socket_is_replaced_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("desk.sock");
    drop(bind(&path).unwrap());
    assert!(UnixStream::connect(&path).is_err(), "it is dead");
    let listener = bind(&path).unwrap();
    UnixStream::connect(&path).unwrap();
    drop(listener);
    std::fs::remove_file(&path).unwrap();
    let kept = folder.path().join("kept");
    let real = bind(&kept).unwrap();
    let ways: [&dyn Fn(); 3] =
        [&|| std::fs::write(&path, "work").unwrap(), &|| std::fs::create_dir(&path).unwrap(), &|| {
            symlink(&kept, &path).unwrap()
        }];
    for put in ways {
        put();
        assert!(matches!(bind(&path), Err(ServeError::InTheWay { .. })));
        let found = std::fs::symlink_metadata(&path).unwrap();
        assert!(!found.file_type().is_socket());
        if found.is_dir() { std::fs::remove_dir(&path).unwrap() } else { std::fs::remove_file(&path).unwrap() }
    }
    drop(real);
    let far = folder.path().join("no/such/folder/desk.sock");
    assert!(matches!(bind(&far), Err(ServeError::Bind { .. })));
}

#[tokio::test]
async fn the_group_may_speak_where_it_may_enter_and_others_never() {
    for (folder_mode, socket_mode) in [(0o750, 0o660), (0o755, 0o660)] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(folder_mode)).unwrap();
        let path = folder.path().join("desk.sock");
        let listener = bind(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, socket_mode);
        drop(listener);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = folder.path().join("desk.sock");
    let listener = bind(&path).unwrap();
    assert_ne!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660, "a private folder stays private");
    drop(listener);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_is_signed_over_the_socket_under_the_name_that_the_kernel_says() {
    let served = Served::new().await;
    served.world.grant(2002, Role::Viewer, &["alpha"]).await;
    let body = json!({"do": "checkin_sign", "round": "morning", "client": "alpha", "looked": [],
        "used_s": 60, "note": "no engine runs yet, ada starts it", "shown": null});
    let forged = json!({"do": "checkin_sign", "round": "morning", "client": "alpha", "looked": [],
        "used_s": 60, "note": "x", "shown": null, "by": "ada"});
    assert_eq!(served.post(OLEG, "/v1/commands", &forged).await.0, 422);
    let (status, told) = served.post(2002, "/v1/commands", &body).await;
    assert_eq!(status, 403, "{told}");
    let (status, told) = served.post(OLEG, "/v1/commands", &body).await;
    assert_eq!(status, 200, "{told}");
    let (status, told) = served.post(OLEG, "/v1/queries", &json!({"ask": "checkin_list"})).await;
    let answer: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((status, &answer["value"][0]["by"]["uid"]), (200, &json!(OLEG)), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_on_what_is_told_to_the_others_under_the_name_that_the_kernel_says() {
    let served = Served::new().await;
    let brief = BriefText::new("alpha", "rye", "2027-03-02");
    let code = served.world.submitted(ADA, &brief).await;
    let id = served.world.show(&code).await.line.id;
    let before = served.world.desk.store().anchor();
    let beat = |session: u32, on: Value| json!({"ask": "beat", "session": session, "on": on});
    let told = async |uid: u32, body: Value| -> Value {
        let (status, text) = served.post(uid, "/v1/queries", &body).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["value"].clone()
    };
    assert_eq!(told(OLEG, beat(1, json!(id))).await["people"], json!([]));
    let heard = told(ADA, beat(7, Value::Null)).await;
    assert_eq!(heard["people"], json!([{"name": "u2001", "uid": OLEG, "on": id}]));
    assert_eq!(heard["health"]["verdict"], "dead_or_held");
    // Nobody speaks for somebody else, and a look at nothing is a look at nothing.
    let forged = json!({"ask": "beat", "session": 1, "on": id, "name": "ada", "uid": ADA});
    assert_eq!(served.post(OLEG, "/v1/queries", &forged).await.0, 422);
    let nothing = "00000000000000000000000000";
    told(OLEG, beat(1, json!(nothing))).await;
    assert_eq!(told(ADA, beat(7, Value::Null)).await["people"], json!([{"name": "u2001", "uid": OLEG, "on": null}]));
    assert_eq!(served.world.desk.store().anchor(), before, "it is in memory alone");
    for uid in STRANGERS {
        assert_eq!(served.post(uid, "/v1/queries", &beat(1, Value::Null)).await.0, 403);
    }
}
