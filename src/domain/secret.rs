//! Secrets: values that are never shown, logged or serialised, and are wiped when dropped.
//!
//! Decides only how a secret is held. How it is sealed on disk is the store's vault; who may unseal it is the engine.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A token or password. No `Display`, no `Serialize`; `Debug` says nothing.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the plain text, for the one header or body that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a sealed value is; part of the seal, so that rows cannot be swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretKind {
    /// A password that a person made for this program alone.
    AppPassword,
    /// A platform session: access and refresh token together.
    Session,
}

impl SecretKind {
    /// Returns the name in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AppPassword => "app_password",
            Self::Session => "session",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new("hunter2".to_owned());
        assert!(!format!("{secret:?} {secret:#?}").contains("hunter2"));
        assert_eq!(secret.expose(), "hunter2");
    }
}
