//! Import and return, with a store that is damaged and a folder that is raced.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
use crate::location::tests::exif;
use crate::picture::tests::drawn;

struct Home {
    _folder: tempfile::TempDir,
    root: std::path::PathBuf,
    store: std::path::PathBuf,
}

fn home() -> Home {
    let folder = tempfile::tempdir().unwrap();
    let (root, store) = (folder.path().join("root"), folder.path().join("store"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&store).unwrap();
    Home { _folder: folder, root, store }
}

#[test]
fn an_import_is_kept_under_its_hash_and_comes_back_as_it_was() {
    let home = home();
    // Named as something else on purpose.
    let picture = drawn(Kind::Jpeg, (20, 10), Some(exif(false, &[0x8825])));
    fs::write(home.root.join("bread.png"), &picture).unwrap();
    let found = import(&home.root, "bread.png", &home.store).unwrap();
    assert_eq!(
        found,
        Imported {
            digest: Digest::of(&picture),
            kind: Kind::Jpeg,
            mime: "image/jpeg",
            width: 20,
            height: 10,
            bytes: u64::try_from(picture.len()).unwrap(),
            has_gps: true,
        }
    );
    let hex = found.digest.to_string();
    let kept = home.store.join(hex.get(..2).unwrap()).join(&hex);
    assert_eq!(fs::read(&kept).unwrap(), picture);
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o7777, 0o400);
    assert_eq!(fs::metadata(kept.parent().unwrap()).unwrap().permissions().mode() & 0o7777, 0o700);
    // Changing the operator's file afterwards changes nothing.
    fs::write(home.root.join("bread.png"), "changed").unwrap();
    assert_eq!(open_verified(&home.store, &found.digest).unwrap(), picture);
    assert_eq!(fs::metadata(&kept).unwrap().nlink(), 1);
}

#[test]
fn importing_again_is_the_same_asset_and_mends_a_damaged_one() {
    let home = home();
    fs::write(home.root.join("a"), drawn(Kind::Png, (3, 3), None)).unwrap();
    let first = import(&home.root, "a", &home.store).unwrap();
    assert_eq!(import(&home.root, "a", &home.store).unwrap(), first);
    let hex = first.digest.to_string();
    let folder = home.store.join(hex.get(..2).unwrap());
    fs::remove_file(folder.join(&hex)).unwrap();
    fs::write(folder.join(&hex), "damaged").unwrap();
    assert!(matches!(
        open_verified(&home.store, &first.digest),
        Err(MediaRefusal::Damaged { digest, found }) if digest == first.digest && found == Digest::of(b"damaged")
    ));
    assert_eq!(import(&home.root, "a", &home.store).unwrap(), first);
    assert!(open_verified(&home.store, &first.digest).is_ok());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left aside");
}

#[test]
fn assets_that_are_not_there_or_are_links_are_refused() {
    let home = home();
    let digest = Digest::of(b"no such asset");
    assert!(matches!(open_verified(&home.store, &digest), Err(MediaRefusal::Missing { .. })));
    let hex = digest.to_string();
    fs::create_dir(home.store.join(hex.get(..2).unwrap())).unwrap();
    fs::write(home.root.join("elsewhere"), b"no such asset").unwrap();
    symlink(home.root.join("elsewhere"), home.store.join(hex.get(..2).unwrap()).join(&hex)).unwrap();
    assert!(matches!(open_verified(&home.store, &digest), Err(MediaRefusal::Outside { .. })));
}

#[test]
fn what_is_refused_leaves_nothing_in_the_store() {
    let home = home();
    fs::write(home.root.join("page.png"), "<html>").unwrap();
    assert!(matches!(import(&home.root, "page.png", &home.store), Err(MediaRefusal::UnknownKind)));
    assert_eq!(fs::read_dir(&home.store).unwrap().count(), 0);
    fs::write(home.root.join("a.png"), drawn(Kind::Png, (3, 3), None)).unwrap();
    let nowhere = home.store.join("nowhere");
    assert!(matches!(import(&home.root, "a.png", &nowhere), Err(MediaRefusal::FolderClosed { .. })));
}

#[test]
fn a_store_folder_that_is_a_link_or_a_file_is_not_written_through() {
    let home = home();
    let picture = drawn(Kind::Png, (5, 5), None);
    fs::write(home.root.join("a.png"), &picture).unwrap();
    let folder: String = Digest::of(&picture).to_string().chars().take(2).collect();
    symlink(&home.root, home.store.join(&folder)).unwrap();
    assert!(matches!(import(&home.root, "a.png", &home.store), Err(MediaRefusal::StoreFailed { .. })));
    assert_eq!(fs::read_dir(&home.root).unwrap().count(), 1);
    fs::remove_file(home.store.join(&folder)).unwrap();
    // A folder in the place of the asset: the rename fails, and nothing stays aside.
    fs::create_dir_all(home.store.join(&folder).join(Digest::of(&picture).to_string())).unwrap();
    assert!(matches!(import(&home.root, "a.png", &home.store), Err(MediaRefusal::StoreFailed { .. })));
    assert_eq!(fs::read_dir(home.store.join(&folder)).unwrap().count(), 1);
}

#[test]
fn swapping_the_file_for_a_link_never_brings_in_what_lies_outside() {
    let home = home();
    let (inside, outside) = (drawn(Kind::Png, (6, 6), None), drawn(Kind::Png, (7, 7), None));
    fs::write(home.store.parent().unwrap().join("outside.png"), &outside).unwrap();
    fs::write(home.root.join("inside.png"), &inside).unwrap();
    symlink("../outside.png", home.root.join("link.png")).unwrap();
    fs::hard_link(home.root.join("inside.png"), home.root.join("post.png")).unwrap();
    let over = AtomicBool::new(false);
    let (mut taken, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            // A link and the file take turns under the name that is being imported.
            let fresh = home.root.join("fresh");
            while !over.load(Ordering::Relaxed) {
                symlink("../outside.png", &fresh).unwrap();
                fs::rename(&fresh, home.root.join("post.png")).unwrap();
                fs::hard_link(home.root.join("inside.png"), &fresh).unwrap();
                fs::rename(&fresh, home.root.join("post.png")).unwrap();
            }
        });
        // Until both sides have won often; the number of tries only bounds a failing test.
        for _ in 0..200_000 {
            match import(&home.root, "post.png", &home.store) {
                Ok(found) if found.digest == Digest::of(&inside) => taken += 1,
                Err(MediaRefusal::Outside { .. } | MediaRefusal::Swapped { .. }) => refused += 1,
                other => {
                    over.store(true, Ordering::Relaxed);
                    panic!("{other:?}");
                }
            }
            if taken >= 50 && refused >= 50 {
                break;
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(taken >= 50 && refused >= 50, "{taken} taken, {refused} refused: there was no race");
    assert!(matches!(open_verified(&home.store, &Digest::of(&outside)), Err(MediaRefusal::Missing { .. })));
}
