//! A picture is shown to whoever may see the experiment that shows it, small, and to nobody else.

use std::os::unix::fs::PermissionsExt;

use domain::agency::HomeKind;
use domain::hash::Digest;
use domain::refusal::RefusalKind;
use domain::role::Role;

use super::fixture::*;
use crate::{Answer, Problem, Query};

const PAUL: u32 = 2001;
const BEA: u32 = 2002;
const TUESDAY: &str = "2027-03-02";

fn picture(experiment: &str, digest: Digest, width: u16, height: u16) -> Query {
    Query::Picture { experiment: experiment.to_owned(), digest, width, height }
}

async fn world() -> (World, String) {
    let world = World::small(HomeKind::Personal).await;
    let code = world.pictured(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    (world, code)
}

#[tokio::test]
async fn whoever_may_read_the_experiment_gets_it_small_with_its_aspect_kept() {
    let (world, code) = world().await;
    world.grant(PAUL, Role::Viewer, &["alpha"]).await;
    let digest = Digest::of(PICTURE);
    for uid in [ADA, PAUL] {
        let Answer::Picture(small) = world.ask(uid, picture(&code, digest, 30, 90)).await else { panic!() };
        assert_eq!((small.digest, small.width, small.height), (digest, 30, 20));
        let rows = small.rows();
        assert!(rows.len() == 20 && rows.iter().all(|row| row.len() == 30));
        // Not one colour all over: it is the picture.
        assert!(rows.iter().flatten().collect::<std::collections::BTreeSet<_>>().len() > 2);
    }
}

#[tokio::test]
async fn no_asker_gets_more_than_the_bound() {
    let (world, code) = world().await;
    let whole = picture(&code, Digest::of(PICTURE), u16::MAX, u16::MAX);
    let Answer::Picture(small) = world.ask(ADA, whole).await else { panic!() };
    assert_eq!((small.width, small.height), (160, 107));
}

#[tokio::test]
async fn a_digest_alone_opens_nothing() {
    let (world, code) = world().await;
    world.client("beta").await;
    world.grant(BEA, Role::Admin, &["beta"]).await;
    let beta = world.brief(ADA, &BriefText::new("beta", "oat", TUESDAY)).await;
    let digest = Digest::of(PICTURE);
    let refused = async |uid, experiment: &str, digest| {
        let Err(Problem::Refused(refusal)) = world.desk.ask(peer(uid), picture(experiment, digest, 8, 8)).await else {
            panic!("{experiment} was shown to {uid}")
        };
        assert_eq!(refusal.kind, RefusalKind::NotFound);
        refusal.to_string()
    };
    // Not mine, or mine that does not show it: the same whether the picture is there or not.
    refused(BEA, &code, digest).await;
    let there = refused(BEA, &beta, digest).await;
    let nowhere = refused(BEA, &beta, Digest::of(b"nothing")).await;
    assert_eq!(there.replace(&digest.short(), "-"), nowhere.replace(&Digest::of(b"nothing").short(), "-"));
    let stranger = world.desk.ask(peer(9_999), picture(&code, digest, 8, 8)).await;
    assert!(matches!(stranger, Err(Problem::Refused(refusal)) if refusal.rule == "stranger"));
}

/// The file of the picture in the home, which somebody with a root shell can reach.
fn file(world: &World) -> std::path::PathBuf {
    let name = Digest::of(PICTURE).to_string();
    world.home.content_store().join(name.chars().take(2).collect::<String>()).join(&name)
}

#[tokio::test]
async fn a_picture_that_is_gone_or_damaged_says_so_and_is_shown_once_it_is_put_back() {
    let (world, code) = world().await;
    let (digest, file) = (Digest::of(PICTURE), file(&world));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&file, b"something else").unwrap();
    let damaged = world.desk.ask(peer(ADA), picture(&code, digest, 9, 9)).await;
    assert!(matches!(&damaged, Err(Problem::Failed(why)) if why.contains("is damaged")), "{damaged:?}");
    std::fs::remove_file(&file).unwrap();
    let gone = world.desk.ask(peer(ADA), picture(&code, digest, 9, 9)).await;
    assert!(matches!(&gone, Err(Problem::Failed(why)) if why.contains("has no asset")), "{gone:?}");
    std::fs::write(&file, PICTURE).unwrap();
    world.ask(ADA, picture(&code, digest, 9, 9)).await;
}

#[tokio::test]
async fn a_picture_is_decoded_once_for_all_sizes_and_askers() {
    let (world, code) = world().await;
    world.ask(ADA, picture(&code, Digest::of(PICTURE), 8, 8)).await;
    std::fs::remove_file(file(&world)).unwrap();
    for side in 1..40 {
        let Answer::Picture(small) = world.ask(ADA, picture(&code, Digest::of(PICTURE), side, side)).await else {
            panic!()
        };
        assert!(small.width <= side && small.height <= side);
    }
}

#[tokio::test]
async fn whoever_hangs_up_does_not_let_a_second_picture_be_decoded_beside_theirs() {
    let (world, code) = world().await;
    let leave = || world.desk.pictures.making.available_permits();
    {
        let mut asked = Box::pin(world.desk.ask(peer(ADA), picture(&code, Digest::of(PICTURE), 8, 8)));
        while leave() == 1 {
            tokio::select! {
                biased;
                answer = &mut asked => panic!("it was made too fast to hang up: {answer:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    assert_eq!(leave(), 0, "the work goes on, and so does the leave for it");
    // The next asker waits, and gets what the first one's work made.
    world.ask(ADA, picture(&code, Digest::of(PICTURE), 8, 8)).await;
    assert_eq!(leave(), 1);
}
