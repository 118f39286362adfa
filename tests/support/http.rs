//! HTTP/1.1 as plainly as it can be done: one question, one answer, whole bodies in memory, no TLS.
//!
//! Tests look at servers through this and not through `wire`, so that a mistake in the program's own client cannot hide
//! itself; the faulty proxy reads both of its sides with it. Nothing is ever asked twice. Only loopback is asked at all.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may stand still before the question counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first line and the headers of a request or an answer, as they came.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) first_line: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What a server said.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Where the end of a body is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRule {
    /// A request without a length has no body.
    OfRequest,
    /// An answer without a length goes on until the connection ends.
    OfAnswer,
}

/// Host and port of a URL like `http://127.0.0.1:2583/path?query`, and what stands behind them.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) authority: String,
    pub(crate) target: String,
}

impl Answer {
    /// The body as JSON; what is no JSON is `null`.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text, for messages.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Head {
    /// The first header of that name, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Asks for a page.
pub(crate) fn get(url: &str) -> io::Result<Answer> {
    ask("GET", url, &[], b"")
}

/// Posts JSON, with a bearer token where there is one.
pub(crate) fn post_json(url: &str, token: Option<&str>, body: &Value) -> io::Result<Answer> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("Content-Type", "application/json")];
    if let Some(bearer) = &bearer {
        headers.push(("Authorization", bearer));
    }
    ask("POST", url, &headers, body.to_string().as_bytes())
}

/// Asks once, over a connection of its own, and reads the whole answer. An answer that ends early is an error.
pub(crate) fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
    let place = place(url)?;
    let stream = connect(&place.authority)?;
    let mut head = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n", place.target, place.authority);
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method != "GET" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("Connection: close\r\n\r\n");
    (&stream).write_all(head.as_bytes())?;
    (&stream).write_all(body)?;
    read_answer(&mut BufReader::new(&stream), method)
}

/// Takes a URL apart.
pub(crate) fn place(url: &str) -> io::Result<Place> {
    let rest = url.strip_prefix("http://").ok_or_else(|| wrong(format!("only http:// is spoken here, not {url}")))?;
    let (authority, target) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, "/".to_owned()),
    };
    Ok(Place { authority: authority.to_owned(), target })
}

/// Opens a connection to `host:port`, on this machine alone.
#[expect(clippy::disallowed_methods, reason = "tests look at servers past the program's own way onto the network")]
pub(crate) fn connect(authority: &str) -> io::Result<TcpStream> {
    let mut last = wrong(format!("{authority} has no address"));
    for address in authority.to_socket_addrs()? {
        if !address.ip().is_loopback() {
            return Err(wrong(format!("{address} is not on loopback; tests talk to this machine alone")));
        }
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reads an answer to a request of that method.
pub(crate) fn read_answer(reader: &mut impl BufRead, method: &str) -> io::Result<Answer> {
    loop {
        let head = read_head(reader)?
            .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the connection closed without an answer"))?;
        let status = head.first_line.split(' ').nth(1).and_then(|word| word.parse::<u16>().ok());
        let status = status.ok_or_else(|| wrong(format!("no status in {:?}", head.first_line)))?;
        if status < 200 {
            continue; // 100 Continue and its like come before the answer
        }
        let bodiless = method == "HEAD" || status == 204 || status == 304;
        let body = if bodiless { Vec::new() } else { read_body(reader, &head, BodyRule::OfAnswer)? };
        return Ok(Answer { status, headers: head.headers, body });
    }
}

/// Reads up to the empty line; `None` where the other side closed before saying anything.
pub(crate) fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let Some(first_line) = read_line(reader)? else { return Ok(None) };
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or_else(|| cut_short("headers"))?;
        if line.is_empty() {
            return Ok(Some(Head { first_line, headers }));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| wrong(format!("no header: {line:?}")))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

/// Reads the body that belongs to a head; one that ends before its length is an error.
pub(crate) fn read_body(reader: &mut impl BufRead, head: &Head, rule: BodyRule) -> io::Result<Vec<u8>> {
    if head.header("Transfer-Encoding").is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked")) {
        return read_chunks(reader);
    }
    let Some(length) = head.header("Content-Length") else {
        let mut body = Vec::new();
        if rule == BodyRule::OfAnswer {
            reader.read_to_end(&mut body)?;
        }
        return Ok(body);
    };
    let length = length.parse().map_err(|_| wrong(format!("no length: {length:?}")))?;
    read_exactly(reader, length)
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or_else(|| cut_short("chunk"))?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| wrong(format!("no chunk size: {line:?}")))?;
        if size == 0 {
            break;
        }
        body.append(&mut read_exactly(reader, size)?);
        read_line(reader)?; // the line end behind the chunk
    }
    while read_line(reader)?.is_some_and(|trailer| !trailer.is_empty()) {}
    Ok(body)
}

fn read_exactly(reader: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let read = reader.take(length).read_to_end(&mut body)?;
    match u64::try_from(read) {
        Ok(read) if read == length => Ok(body),
        _ => Err(cut_short(&format!("body of {length} bytes after {read}"))),
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
}

fn cut_short(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the connection closed inside the {what}"))
}

fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}
