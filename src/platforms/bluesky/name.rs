//! Names on the network: DIDs, handles, and the address of one record.
//!
//! Decided here: which texts are such names at all; none of them is used in a request before it passed here. Who stands
//! behind a name is `identity`. Source: AT Protocol, "DID", "Handle" and "AT URI Scheme".

use std::fmt;

use super::tid::Tid;

/// The collection that posts are records of.
pub(crate) const POST: &str = "app.bsky.feed.post";

const PLC_LENGTH: usize = 24;
const HANDLE_MAX: usize = 253;
const LABEL_MAX: usize = 63;

/// Endings that no handle may have; `test` is left out, since servers of a test network use it.
const RESERVED: [&str; 8] = ["alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion"];

/// The unchanging name of an account: `did:plc:…` or `did:web:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Did(String);

/// Where a DID's document is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DidHome {
    /// In the directory.
    Plc,
    /// On a host of its own, with a port where it names one.
    Web(String),
}

impl Did {
    /// Reads a DID; `None` where it is none of the two sorts that accounts may have.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let did = Self(text.to_owned());
        did.home().map(|_| did)
    }

    /// Returns where its document is kept.
    pub(crate) fn home(&self) -> Option<DidHome> {
        if let Some(id) = self.0.strip_prefix("did:plc:") {
            let fine = id.len() == PLC_LENGTH && id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
            return fine.then_some(DidHome::Plc);
        }
        let host = self.0.strip_prefix("did:web:")?;
        let (name, port) = match host.split_once("%3A") {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        };
        let fine = name == "localhost" || is_domain(name);
        match port {
            None => fine.then(|| DidHome::Web(name.to_owned())),
            Some(port) => {
                let number: u16 = port.parse().ok()?;
                (fine && number.to_string() == port).then(|| DidHome::Web(format!("{name}:{port}")))
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A handle in its one spelling: a host name in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandleName(String);

impl HandleName {
    /// Reads a handle as people type it, with or without `@`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let name = text.trim().trim_start_matches('@').to_ascii_lowercase();
        let ending = name.rsplit('.').next().unwrap_or_default();
        let starts_well = ending.starts_with(|c: char| c.is_ascii_lowercase());
        (is_domain(&name) && starts_well && !RESERVED.contains(&ending)).then_some(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HandleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.len() <= HANDLE_MAX && name.contains('.') && name.split('.').all(label)
}

/// The address of one post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PostUri {
    /// Whose repository.
    pub(crate) repo: Did,
    /// Under which key.
    pub(crate) key: String,
}

impl PostUri {
    /// Reads `at://DID/app.bsky.feed.post/KEY`; `None` where it is anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("at://")?.split('/');
        let (repo, collection, key) = (Did::parse(parts.next()?)?, parts.next()?, parts.next()?);
        let fine = collection == POST && parts.next().is_none() && is_key(key);
        fine.then(|| Self { repo, key: key.to_owned() })
    }

    /// Returns the address that people open.
    pub(crate) fn page(&self) -> String {
        format!("https://bsky.app/profile/{}/post/{}", self.repo, self.key)
    }

    /// Returns the time in the key, where it has one.
    pub(crate) fn key_time(&self) -> Option<domain::time::UtcTime> {
        Tid::parse(&self.key).map(Tid::time)
    }
}

impl fmt::Display for PostUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at://{}/{POST}/{}", self.repo, self.key)
    }
}

fn is_key(key: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'~' | b'-');
    !key.is_empty() && key.len() <= 512 && key != "." && key != ".." && key.bytes().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_sorts_of_account_dids_are_read() {
        assert_eq!(Did::parse("did:plc:z72i7hdynmk6r22z27h6tvur").unwrap().home(), Some(DidHome::Plc));
        let web = |host: &str| Some(DidHome::Web(host.to_owned()));
        assert_eq!(Did::parse("did:web:acme.com").unwrap().home(), web("acme.com"));
        assert_eq!(Did::parse("did:web:localhost%3A2583").unwrap().home(), web("localhost:2583"));
        for text in [
            "",
            "did:plc:",
            "did:plc:z72i7hdynmk6r22z27h6tvu",
            "did:plc:Z72i7hdynmk6r22z27h6tvur",
            "did:plc:z72i7hdynmk6r22z27h6tvu1",
            "did:plc:z72i7hdynmk6r22z27h6tvur/x",
            "did:web:acme",
            "did:web:acme.com:path",
            "did:web:acme.com/..",
            "did:web:acme.com%2Fx",
            "did:web:acme.com%3A",
            "did:web:acme.com%3A080",
            "did:web:acme.com%3A99999",
            "did:web:user@acme.com",
            "did:key:zQ3sh",
            "DID:plc:z72i7hdynmk6r22z27h6tvur",
        ] {
            assert_eq!(Did::parse(text), None, "{text}");
        }
    }

    #[test]
    fn handles_are_host_names_in_lower_case() {
        assert_eq!(HandleName::parse(" @Rye-Bakery.TEST ").unwrap().as_str(), "rye-bakery.test");
        for text in
            ["", "acme", "acme.", ".acme.com", "ac_me.com", "-a.com", "a-.com", "a.1com", "a..com", "ümlaut.com"]
        {
            assert_eq!(HandleName::parse(text), None, "{text}");
        }
        for text in ["a.invalid", "a.local", "a.onion", "a.localhost", "10.0.0.1", "a.com/x", "a.com:80", "u@a.com"] {
            assert_eq!(HandleName::parse(text), None, "{text}");
        }
        assert_eq!(HandleName::parse(&format!("{}.com", "a".repeat(64))), None);
    }

    #[test]
    fn an_address_names_one_post_and_nothing_else() {
        let text = "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/3jzfcijpj2z2a";
        let uri = PostUri::parse(text).unwrap();
        assert_eq!(uri.to_string(), text);
        assert_eq!(uri.page(), "https://bsky.app/profile/did:plc:z72i7hdynmk6r22z27h6tvur/post/3jzfcijpj2z2a");
        assert!(uri.key_time().is_some());
        for bad in [
            "",
            "at://acme.com/app.bsky.feed.post/3jzfcijpj2z2a",
            "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.like/3jzfcijpj2z2a",
            "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/",
            "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/..",
            "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/a/b",
            "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/a?b",
        ] {
            assert_eq!(PostUri::parse(bad), None, "{bad}");
        }
    }
}
