//! What a failed request says about its effect.
//!
//! Decided here: the line between "nothing left" and "it may have arrived". The line is the hand-over of the request to an
//! open connection: everything before it is `NotSent`, everything after it `InDoubt`, whatever the cause looks like.
//! Not here: what a status code means (`platforms`).
//!
//! Invariant: errors hold the host and fixed words only; never path, query, header, body or a library's message (T12).

use crate::GuardRefusal;

/// One request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not one byte of the request left. It had no effect and may be made again.
    #[error("nothing was sent to {host}")]
    NotSent {
        /// The host as named by the request; empty if it names none.
        host: String,
        /// Why nothing was sent.
        #[source]
        why: NotSent,
    },
    /// The request may have arrived and may have had its effect, or may have it later. Only a look can tell.
    #[error("whether {host} acted is in doubt")]
    InDoubt {
        /// The host as named by the request.
        host: String,
        /// What was seen.
        #[source]
        why: InDoubt,
        /// The status of the answer, if one began to arrive.
        status: Option<u16>,
    },
}

impl WireError {
    /// Returns whether it is certain that nothing was sent.
    pub const fn is_not_sent(&self) -> bool {
        matches!(self, Self::NotSent { .. })
    }

    /// Returns the host that was meant; empty if the request names none.
    pub fn host(&self) -> &str {
        match self {
            Self::NotSent { host, .. } | Self::InDoubt { host, .. } => host,
        }
    }
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The address may not be called.
    #[error("the address is refused")]
    Guarded(#[source] GuardRefusal),
    /// The name has no address, or the name service did not answer.
    #[error("the name could not be resolved; check the spelling and the name service")]
    Unresolved,
    /// The host is there but nothing listens.
    #[error("the connection was refused; is the server running?")]
    Refused,
    /// No connection came about.
    #[error("the host could not be reached; check the network")]
    Unreachable,
    /// No trusted encrypted connection came about.
    #[error("no trusted TLS connection; check the certificate, and the box's root certificates")]
    Tls,
    /// The connection was not ready when the request had to be on its way.
    #[error("the connection came too late to send in time")]
    Late,
    /// The request cannot be sent as HTTP.
    #[error("the request cannot be sent: its method or address makes no HTTP request")]
    Unusable,
    /// A test transport had no answer left.
    #[error("nothing answers here: the script has ended")]
    NothingThere,
}

/// What was seen of a request that may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InDoubt {
    /// The connection was reset.
    #[error("the connection was reset")]
    Reset,
    /// The connection was closed before an answer began.
    #[error("the connection was closed without an answer")]
    Closed,
    /// Time was up.
    #[error("no complete answer in time")]
    Deadline,
    /// The answer broke off.
    #[error("the answer broke off")]
    Truncated,
    /// The answer's headers exceed the limit.
    #[error("the headers of the answer are too large")]
    HeadersTooBig,
    /// The answer's body exceeds the limit.
    #[error("the body of the answer is too large")]
    BodyTooBig,
    /// What came back is not HTTP.
    #[error("the answer is not HTTP")]
    Garbled,
    /// The body is compressed although that was ruled out.
    #[error("the answer is compressed although that was ruled out")]
    Encoded,
    /// The connection failed in another way.
    #[error("the connection failed")]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn each_layer_says_its_own_part_once() {
        let why = NotSent::Guarded(GuardRefusal::UserInfo);
        let error = WireError::NotSent { host: "pds.example".into(), why };
        assert!(error.is_not_sent());
        assert_eq!(error.host(), "pds.example");
        assert_eq!(error.to_string(), "nothing was sent to pds.example");
        let source = error.source().expect("has a reason");
        assert_eq!(source.to_string(), "the address is refused");
        assert!(source.source().expect("has a rule").to_string().contains("user name"));
    }
}
