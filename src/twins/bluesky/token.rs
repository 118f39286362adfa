//! Tokens: what a session is proven with.
//!
//! Decided here: their form, a JSON web token signed with HMAC and SHA-256 as the network's servers write it (RFC 7515, RFC
//! 2104), so that a client that reads `exp` out of one finds it; and what is wrong with one that is shown.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// How long an access token serves, in seconds.
pub(crate) const ACCESS_SECONDS: i64 = 2 * 60 * 60;
/// How long a refresh token serves, in seconds.
pub(crate) const REFRESH_SECONDS: i64 = 90 * 24 * 60 * 60;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// Everything; got with the account's own password.
    #[serde(rename = "com.atproto.access")]
    Full,
    /// Everything but managing the account; got with an app password.
    #[serde(rename = "com.atproto.appPass")]
    AppPassword,
    /// Another pair of tokens.
    #[serde(rename = "com.atproto.refresh")]
    Refresh,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) scope: Scope,
    pub(crate) aud: String,
    pub(crate) sub: String,
    /// The session, for refresh tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) jti: Option<String>,
    /// How often the account had lost all of its sessions when this was given out.
    #[serde(default)]
    pub(crate) generation: u32,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
}

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    Expired,
    /// Not one of ours, or changed.
    Forged,
}

/// Writes a token.
pub(crate) fn sign(key: &[u8], claims: &Claims) -> String {
    let kind = match claims.scope {
        Scope::Full | Scope::AppPassword => "at+jwt",
        Scope::Refresh => "refresh+jwt",
    };
    let header = json!({"typ": kind, "alg": "HS256"}).to_string();
    let claims = serde_json::to_string(claims).unwrap_or_default();
    let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()));
    let signature = BASE64URL_NOPAD.encode(&hmac(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Reads a token.
pub(crate) fn read(key: &[u8], token: &str, now: DateTime<Utc>) -> Result<Claims, BadToken> {
    let (signed, signature) = token.rsplit_once('.').ok_or(BadToken::Forged)?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| BadToken::Forged)?;
    if signature != hmac(key, signed.as_bytes()) {
        return Err(BadToken::Forged);
    }
    let (_, claims) = signed.split_once('.').ok_or(BadToken::Forged)?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).map_err(|_| BadToken::Forged)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| BadToken::Forged)?;
    if claims.exp <= now.timestamp() { Err(BadToken::Expired) } else { Ok(claims) }
}

/// For keys of at most one block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let block = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(block(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(exp: i64) -> Claims {
        Claims {
            scope: Scope::Full,
            aud: "did:web:x".into(),
            sub: "did:plc:a".into(),
            jti: None,
            generation: 0,
            iat: 0,
            exp,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let seen = data_encoding::HEXLOWER.encode(&hmac(b"Jefe", b"what do ya want for nothing?"));
        assert_eq!(seen, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_token_is_good_until_its_end_and_under_its_key_alone() {
        let token = sign(b"key", &claims(100));
        assert_eq!(read(b"key", &token, at(99)), Ok(claims(100)));
        assert_eq!(read(b"key", &token, at(100)), Err(BadToken::Expired));
        assert_eq!(read(b"other", &token, at(99)), Err(BadToken::Forged));
        assert_eq!(read(b"key", &token.replace('.', ".e"), at(99)), Err(BadToken::Forged));
        for none in ["", "a", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.e30.canary"] {
            assert_eq!(read(b"key", none, at(0)), Err(BadToken::Forged), "{none}");
        }
    }
}
