//! The vault: logins, sealed so that neither a copy of the store nor another row's login opens them (I15).
//!
//! Decides the envelope: each account has a random data key, wrapped by the master key that is not in the store; each
//! value is sealed with the data key. Store, account and kind are part of every seal, so that rows cannot be swapped.
//! XChaCha20-Poly1305, a fresh 24-byte nonce each time. Who may ask for a login is the caller's duty: the engine alone.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use domain::hash::Framed;
use domain::id::{AccountId, StoreId};
use domain::secret::{Secret, SecretKind};
use rusqlite::{Connection, OptionalExtension};
use zeroize::{Zeroize, Zeroizing};

use crate::StoreError;

/// What opens and seals the logins of one store. No `Debug`, no `Clone`; wiped when dropped.
pub(crate) struct Vault {
    master: Zeroizing<[u8; 32]>,
    store: StoreId,
}

struct Sealed {
    nonce: [u8; 24],
    bytes: Vec<u8>,
}

impl Vault {
    pub(crate) fn new(master: Zeroizing<[u8; 32]>, store: StoreId) -> Self {
        Self { master, store }
    }

    /// Seals a login and stores it, in place of one of the same kind.
    pub(crate) fn put(
        &self,
        connection: &Connection,
        account: &AccountId,
        kind: SecretKind,
        secret: &Secret,
    ) -> Result<(), StoreError> {
        let data_key = match self.data_key(connection, account)? {
            Some(key) => key,
            None => self.make_data_key(connection, account)?,
        };
        let sealed = seal(&data_key, &self.bound_to(account, kind.as_str()), secret.expose().as_bytes(), account)?;
        connection
            .prepare_cached(
                "INSERT INTO secret (account, kind, nonce, sealed) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (account, kind) DO UPDATE SET nonce = excluded.nonce, sealed = excluded.sealed",
            )?
            .execute(rusqlite::params![account.as_str(), kind.as_str(), sealed.nonce, sealed.bytes])?;
        Ok(())
    }

    /// Opens a login.
    pub(crate) fn get(
        &self,
        connection: &Connection,
        account: &AccountId,
        kind: SecretKind,
    ) -> Result<Option<Secret>, StoreError> {
        let Some(data_key) = self.data_key(connection, account)? else { return Ok(None) };
        let row = connection
            .prepare_cached("SELECT nonce, sealed FROM secret WHERE account = ?1 AND kind = ?2")?
            .query_row([account.as_str(), kind.as_str()], |row| Ok(Sealed { nonce: row.get(0)?, bytes: row.get(1)? }))
            .optional()?;
        let Some(sealed) = row else { return Ok(None) };
        let plain = open(&data_key, &self.bound_to(account, kind.as_str()), &sealed, account)?;
        match String::from_utf8(plain) {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(StoreError::Sealed { account: account.to_string(), why: "what was sealed is no text" })
            }
        }
    }

    /// Forgets all logins of an account, and the key that opened them.
    pub(crate) fn delete(connection: &Connection, account: &AccountId) -> Result<(), StoreError> {
        connection.prepare_cached("DELETE FROM secret WHERE account = ?1")?.execute([account.as_str()])?;
        connection.prepare_cached("DELETE FROM secret_key WHERE account = ?1")?.execute([account.as_str()])?;
        Ok(())
    }

    fn data_key(
        &self,
        connection: &Connection,
        account: &AccountId,
    ) -> Result<Option<Zeroizing<[u8; 32]>>, StoreError> {
        let row = connection
            .prepare_cached("SELECT nonce, wrapped FROM secret_key WHERE account = ?1")?
            .query_row([account.as_str()], |row| Ok(Sealed { nonce: row.get(0)?, bytes: row.get(1)? }))
            .optional()?;
        let Some(wrapped) = row else { return Ok(None) };
        let plain = Zeroizing::new(open(&self.master, &self.bound_to(account, "data key"), &wrapped, account)?);
        match <[u8; 32]>::try_from(plain.as_slice()) {
            Ok(key) => Ok(Some(Zeroizing::new(key))),
            Err(_) => Err(StoreError::Sealed { account: account.to_string(), why: "its key has the wrong length" }),
        }
    }

    fn make_data_key(&self, connection: &Connection, account: &AccountId) -> Result<Zeroizing<[u8; 32]>, StoreError> {
        let key = Zeroizing::new(clock::fresh_bytes::<32>()?);
        let wrapped = seal(&self.master, &self.bound_to(account, "data key"), key.as_slice(), account)?;
        connection
            .prepare_cached("INSERT INTO secret_key (account, nonce, wrapped) VALUES (?1, ?2, ?3)")?
            .execute(rusqlite::params![account.as_str(), wrapped.nonce, wrapped.bytes])?;
        Ok(key)
    }

    fn bound_to(&self, account: &AccountId, kind: &str) -> [u8; 32] {
        *Framed::new("expos.seal.1").field(&self.store.to_bytes()).text(account.as_str()).text(kind).digest().bytes()
    }
}

fn seal(key: &[u8; 32], bound_to: &[u8], plain: &[u8], account: &AccountId) -> Result<Sealed, StoreError> {
    let nonce = clock::fresh_bytes::<24>()?;
    let bytes = XChaCha20Poly1305::new(Key::from_slice(key))
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: bound_to })
        .map_err(|_| StoreError::Sealed { account: account.to_string(), why: "it cannot be sealed" })?;
    Ok(Sealed { nonce, bytes })
}

fn open(key: &[u8; 32], bound_to: &[u8], sealed: &Sealed, account: &AccountId) -> Result<Vec<u8>, StoreError> {
    XChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt(XNonce::from_slice(&sealed.nonce), Payload { msg: &sealed.bytes, aad: bound_to })
        .map_err(|_| StoreError::Sealed {
            account: account.to_string(),
            why: "it was sealed with another key, or the row was changed",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(key: u8, store: &str) -> Vault {
        Vault::new(Zeroizing::new([key; 32]), store.parse().unwrap())
    }

    fn account(name: &str) -> AccountId {
        name.parse().unwrap()
    }

    const STORE: &str = "00000000000000000000000001";

    fn sealed(vault: &Vault) -> Connection {
        let connection = crate::connection::make_in_memory().unwrap();
        vault.put(&connection, &account("acme-bs"), SecretKind::Session, &Secret::new("canary-1".to_owned())).unwrap();
        vault
            .put(&connection, &account("acme-bs"), SecretKind::AppPassword, &Secret::new("canary-2".to_owned()))
            .unwrap();
        vault.put(&connection, &account("other-bs"), SecretKind::Session, &Secret::new("canary-3".to_owned())).unwrap();
        connection
    }

    fn get(vault: &Vault, connection: &Connection, name: &str, kind: SecretKind) -> Result<Option<String>, StoreError> {
        Ok(vault.get(connection, &account(name), kind)?.map(|secret| secret.expose().to_owned()))
    }

    #[test]
    fn a_login_opens_as_it_was_sealed_and_a_new_one_takes_its_place() {
        let vault = vault(1, STORE);
        let connection = sealed(&vault);
        assert_eq!(get(&vault, &connection, "acme-bs", SecretKind::Session).unwrap().as_deref(), Some("canary-1"));
        vault.put(&connection, &account("acme-bs"), SecretKind::Session, &Secret::new("newer".to_owned())).unwrap();
        assert_eq!(get(&vault, &connection, "acme-bs", SecretKind::Session).unwrap().as_deref(), Some("newer"));
        assert_eq!(get(&vault, &connection, "none-bs", SecretKind::Session).unwrap(), None);
        Vault::delete(&connection, &account("acme-bs")).unwrap();
        assert_eq!(get(&vault, &connection, "acme-bs", SecretKind::AppPassword).unwrap(), None);
        assert_eq!(get(&vault, &connection, "other-bs", SecretKind::Session).unwrap().as_deref(), Some("canary-3"));
    }

    #[test]
    fn another_key_another_store_and_swapped_rows_do_not_open() {
        let right = vault(1, STORE);
        let connection = sealed(&right);
        for wrong in [vault(2, STORE), vault(1, "00000000000000000000000002")] {
            assert!(matches!(get(&wrong, &connection, "acme-bs", SecretKind::Session), Err(StoreError::Sealed { .. })));
        }
        let swaps = [
            // Two kinds of one account.
            "UPDATE secret SET (nonce, sealed) = (SELECT nonce, sealed FROM secret WHERE account = 'acme-bs' AND kind = 'app_password')
             WHERE account = 'acme-bs' AND kind = 'session'",
            // Two accounts, key and all.
            "UPDATE secret SET (nonce, sealed) = (SELECT nonce, sealed FROM secret WHERE account = 'other-bs') WHERE account = 'acme-bs';
             UPDATE secret_key SET (nonce, wrapped) = (SELECT nonce, wrapped FROM secret_key WHERE account = 'other-bs') WHERE account = 'acme-bs'",
            // One bit.
            "UPDATE secret SET sealed = CAST(substr(sealed, 1, 3) || x'00' || substr(sealed, 5) AS BLOB)",
        ];
        for swap in swaps {
            let connection = sealed(&right);
            connection.execute_batch(swap).unwrap();
            assert!(
                matches!(get(&right, &connection, "acme-bs", SecretKind::Session), Err(StoreError::Sealed { .. })),
                "{swap}"
            );
        }
    }
}
