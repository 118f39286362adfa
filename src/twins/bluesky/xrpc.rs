//! Requests and answers as the servers see them.
//!
//! Decided here: how a request is taken apart, how an error is said, and what an answer looks like on the wire. What each
//! method means is in `server`, `writes`, `reads` and `appview`. Source: AT Protocol, "HTTP API (XRPC)".

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::limits::Standing;

/// The most bytes of a JSON body.
const JSON_MAX: usize = 1024 * 1024;

/// A request was refused, in the network's own form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {name}: {message}")]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The error's name, as in `InvalidSwap`.
    pub name: String,
    /// The server's sentence.
    pub message: String,
}

impl Refused {
    pub(crate) fn new(status: u16, name: &str, message: impl Into<String>) -> Self {
        Self { status, name: name.to_owned(), message: message.into() }
    }

    /// The request is not as it should be.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidRequest", message)
    }

    /// A complaint that has a name of its own.
    pub(crate) fn named(name: &str, message: impl Into<String>) -> Self {
        Self::new(400, name, message)
    }

    /// Whoever asks may not.
    pub(crate) fn auth(name: &str, message: impl Into<String>) -> Self {
        Self::new(401, name, message)
    }

    /// What the servers say where they failed: nothing.
    pub(crate) fn internal() -> Self {
        Self::new(500, "InternalServerError", "Internal Server Error")
    }
}

/// A request, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    /// With its query, as it came.
    pub(crate) target: String,
    pub(crate) path: String,
    query: Vec<(String, String)>,
    /// Whom the request was for; empty where it does not say.
    pub(crate) host: String,
    bearer: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

impl Ask {
    pub(crate) fn of(request: Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let host = parts.uri.host().map(str::to_owned);
        let host = host.or_else(|| header(HOST).map(|host| host.split(':').next().unwrap_or_default().to_owned()));
        let query = parts.uri.query().unwrap_or_default();
        Self {
            method: parts.method.as_str().to_owned(),
            target: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            path: parts.uri.path().to_owned(),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect(),
            host: host.unwrap_or_default().to_ascii_lowercase(),
            bearer: header(AUTHORIZATION).map(str::to_owned),
            content_type: header(CONTENT_TYPE).unwrap_or_default().to_owned(),
            body,
        }
    }

    /// The method's name, where the path is one of a method.
    pub(crate) fn nsid(&self) -> &str {
        self.path.strip_prefix("/xrpc/").unwrap_or_default()
    }

    /// A parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    pub(crate) fn need(&self, name: &str) -> Result<&str, Refused> {
        self.param(name).ok_or_else(|| Refused::invalid(format!("Error: Params must have the property \"{name}\"")))
    }

    /// All values of a parameter that may stand several times, with or without brackets behind it.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let is_it = |key: &str| key == name || key.strip_suffix("[]") == Some(name);
        self.query.iter().filter(|(key, _)| is_it(key)).map(|(_, value)| value.as_str()).collect()
    }

    /// A number of the query within bounds, or its usual value.
    pub(crate) fn number(&self, name: &str, usual: usize, min: usize, max: usize) -> Result<usize, Refused> {
        let Some(text) = self.param(name) else { return Ok(usual) };
        let number = text.parse().map_err(|_| Refused::invalid(format!("Error: {name} must be an integer")))?;
        if number < min {
            Err(Refused::invalid(format!("Error: {name} can not be less than {min}")))
        } else if number > max {
            Err(Refused::invalid(format!("Error: {name} can not be greater than {max}")))
        } else {
            Ok(number)
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.param(name) == Some("true")
    }

    /// The token that proves who asks; `None` where none was sent.
    pub(crate) fn token(&self) -> Result<Option<&str>, Refused> {
        let Some(header) = &self.bearer else { return Ok(None) };
        match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.contains(' ') => Ok(Some(token)),
            Some((scheme, _)) => {
                Err(Refused::named("InvalidToken", format!("Unsupported authorization type: {scheme}")))
            }
            None => Err(Refused::named("InvalidToken", "Malformed authorization header")),
        }
    }

    /// The body as a JSON object.
    pub(crate) fn json(&self) -> Result<Value, Refused> {
        if self.body.len() > JSON_MAX {
            return Err(Refused::new(413, "PayloadTooLarge", "request entity too large"));
        }
        if !self.content_type.to_ascii_lowercase().starts_with("application/json") {
            return Err(Refused::invalid("Request encoding (Content-Type) required but not provided"));
        }
        let body: Value =
            serde_json::from_slice(&self.body).map_err(|_| Refused::invalid("the body cannot be read as JSON"))?;
        if body.is_object() { Ok(body) } else { Err(Refused::invalid("Input must be an object")) }
    }
}

/// The member of that name as a text, which must be there.
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> Result<&'a str, Refused> {
    match body.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refused::invalid(format!("Input/{name} must be a string"))),
        None => Err(Refused::invalid(format!("Input must have the property \"{name}\""))),
    }
}

/// An answer, before it is written.
#[derive(Debug)]
pub(crate) struct Reply {
    status: u16,
    content_type: String,
    body: Bytes,
    headers: Vec<(&'static str, String)>,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::bytes("application/json; charset=utf-8", Bytes::from(body.to_string()))
    }

    pub(crate) fn bytes(content_type: &str, body: Bytes) -> Self {
        Self { status: 200, content_type: content_type.to_owned(), body, headers: Vec::new() }
    }

    pub(crate) fn refused(refused: &Refused) -> Self {
        let mut reply = Self::json(&json!({"error": refused.name, "message": refused.message}));
        reply.status = refused.status;
        reply
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says how a limit stands.
    pub(crate) fn limited(mut self, standing: Standing) -> Self {
        self.headers.extend(standing.headers());
        self
    }

    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        // A kind that somebody uploaded may be no header at all.
        let content_type = HeaderValue::from_str(&self.content_type);
        headers.insert(CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (unescaped(name), unescaped(value))
}

/// Reads a piece of a query; what is no escape stands for itself.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = behind;
                }
                (_, _) => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_clients_write_them() {
        let request =
            Request::get("http://x.test/xrpc/a.b.c?uris=at%3A%2F%2Fa%2Fb&uris=two+words&uris[]=3&limit=7&odd=%zz%")
                .body(Bytes::new())
                .unwrap();
        let ask = Ask::of(request);
        assert_eq!((ask.nsid(), ask.host.as_str()), ("a.b.c", "x.test"));
        assert_eq!(ask.all("uris"), ["at://a/b", "two words", "3"]);
        assert_eq!((ask.number("limit", 50, 1, 100), ask.number("none", 50, 1, 100)), (Ok(7), Ok(50)));
        assert!(ask.number("limit", 50, 1, 5).is_err() && ask.number("odd", 50, 1, 5).is_err());
        assert_eq!(ask.param("odd"), Some("%zz%"));
        assert!(ask.need("missing").unwrap_err().message.contains("missing"));
    }
}
