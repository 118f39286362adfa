//! Logins: no byte of them is in the home in plain, whatever is done with them.

use domain::secret::{Secret, SecretKind};

use super::support::*;
use crate::{Cause, Open, StoreError};

/// Every byte of every file of the home.
fn all_bytes(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(all_bytes(&entry.path()));
        } else {
            found.push((entry.path(), std::fs::read(entry.path()).unwrap()));
        }
    }
    found
}

fn holds(bytes: &[u8], canary: &str) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary.as_bytes())
}

#[tokio::test]
async fn a_login_is_nowhere_in_the_home_in_plain_not_even_while_it_is_open() {
    let canary = "canary-token-5d1f9c";
    let founded = Founded::new();
    let store = founded.open(Open::Owner);
    with_clients(&store, &["acme"], 1).await;
    let put = |store: &crate::Store| {
        let store = store.clone();
        async move {
            let secret = Secret::new(canary.to_owned());
            store
                .write(Cause::engine("connect"), move |tx| {
                    Ok(tx.put_secret(&account_id("acme"), SecretKind::Session, &secret)?)
                })
                .await
        }
    };
    put(&store).await.unwrap();
    put(&store).await.unwrap();
    let kept = store
        .read(|view| {
            let kept = view.secret(&account_id("acme"), SecretKind::Session)?.map(|secret| secret.expose().to_owned());
            assert!(view.secret_is_kept(&account_id("acme"), SecretKind::Session)?);
            assert!(!view.secret_is_kept(&account_id("acme"), SecretKind::AppPassword)?);
            Ok(kept)
        })
        .await
        .unwrap();
    assert_eq!(kept.as_deref(), Some(canary));
    // The file is looked at from another process' side: this one must not open what SQLite has open.
    let copy = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("cp").arg("-r").arg(&founded.home.root).arg(copy.path()).status().unwrap();
    assert!(status.success());
    let open = all_bytes(copy.path());
    assert!(
        open.iter().any(|(path, bytes)| path.ends_with("store.db-wal") && holds(bytes, "acme-bs")),
        "the search finds what is there"
    );
    drop(store);
    for (path, bytes) in open.into_iter().chain(all_bytes(&founded.home.root)) {
        assert!(!holds(&bytes, canary), "{}", path.display());
    }
}

#[tokio::test]
async fn a_home_with_another_key_says_that_the_login_cannot_be_opened() {
    let founded = Founded::new();
    let store = founded.open(Open::Inline);
    with_clients(&store, &["acme"], 0).await;
    store
        .write(Cause::engine("connect"), |tx| {
            Ok(tx.put_secret(&account_id("acme"), SecretKind::AppPassword, &Secret::new("pw".to_owned()))?)
        })
        .await
        .unwrap();
    drop(store);
    std::fs::remove_file(founded.home.key()).unwrap();
    founded.home.create(domain::agency::HomeKind::Personal).unwrap();
    let store = founded.open(Open::Inline);
    let told = store.read(|view| view.secret(&account_id("acme"), SecretKind::AppPassword).map(|_| ())).await;
    assert!(matches!(&told, Err(StoreError::Sealed { account, .. }) if account == "acme-bs"), "{told:?}");
    store.write(Cause::engine("connect"), |tx| Ok(tx.delete_secrets(&account_id("acme"))?)).await.unwrap();
    assert!(store.read(|view| view.secret(&account_id("acme"), SecretKind::AppPassword)).await.unwrap().is_none());
}
