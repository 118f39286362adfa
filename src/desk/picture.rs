//! Pictures to be looked at: a small one for whoever may see the experiment, whichever Unix user they are.
//!
//! Decides who gets one (whoever may read the experiment whose variants show it: a digest alone opens nothing, T7), and how
//! much memory that takes: one picture is decoded at a time, and the small ones are kept within a bound, the longest
//! unused going first. How a picture is made small is `media`'s.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use domain::experiment::Experiment;
use domain::hash::Digest;
use domain::refusal::{Refusal, RefusalKind};
use media::Thumbnail;
use tokio::sync::Semaphore;

use crate::query::PictureView;
use crate::{Desk, Problem};

/// The most bytes of pixels that are kept.
const KEPT_MAX: usize = 4 * 1024 * 1024;

/// Which picture, within which size.
type Key = (Digest, u16, u16);

/// The small pictures that were made, and the leave to make one.
#[derive(Debug)]
pub(crate) struct Pictures {
    kept: Mutex<VecDeque<(Key, Arc<Thumbnail>)>>,
    making: Semaphore,
}

impl Pictures {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::new(VecDeque::new()), making: Semaphore::new(1) }
    }

    fn find(&self, key: Key) -> Option<Arc<Thumbnail>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| *other == key)?;
        let found = kept.remove(at)?;
        let picture = Arc::clone(&found.1);
        kept.push_back(found);
        Some(picture)
    }

    fn keep(&self, key: Key, picture: Arc<Thumbnail>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((key, picture));
        let mut bytes: usize = kept.iter().map(|(_, picture)| picture.pixels.len() * 3).sum();
        while bytes > KEPT_MAX {
            let Some((_, oldest)) = kept.pop_front() else { return };
            bytes = bytes.saturating_sub(oldest.pixels.len() * 3);
        }
    }
}

/// Tells whether any variant of an experiment shows a picture.
pub(crate) fn shows(experiment: &Experiment, digest: &Digest) -> bool {
    let contents = experiment.variants.iter().flat_map(|variant| &variant.rounds);
    contents.into_iter().any(|content| content.assets.iter().any(|asset| asset.digest == *digest))
}

/// The experiment shows no such picture.
pub(crate) fn not_shown(experiment: &str, digest: &Digest) -> Refusal {
    Refusal::new(
        RefusalKind::NotFound,
        "not-found",
        format!("picture {}", digest.short()),
        format!("no variant of {experiment} shows it"),
        format!("take a digest from `expos experiment show {experiment} --json`"),
    )
}

/// Returns a picture that the asker was granted, within the size that they asked for.
pub(crate) async fn small(desk: &Desk, granted: PictureView) -> Result<PictureView, Problem> {
    let digest = granted.digest;
    let bound = |side: u16| side.clamp(1, media::limits::PREVIEW_SIDE_MAX);
    let key = (digest, bound(granted.width), bound(granted.height));
    if let Some(picture) = desk.pictures.find(key) {
        return Ok(view(digest, &picture));
    }
    let broke = |e: &dyn std::fmt::Display| Problem::Failed(format!("reading the picture broke off: {e}"));
    let _leave = desk.pictures.making.acquire().await.map_err(|e| broke(&e))?;
    // Whoever had leave before may have made the same one.
    if let Some(picture) = desk.pictures.find(key) {
        return Ok(view(digest, &picture));
    }
    let folder = desk.home.content_store();
    let made = tokio::task::spawn_blocking(move || {
        let bytes = media::open_verified(&folder, &digest)?;
        media::thumbnail(&bytes, key.1, key.2)
    });
    let made = made.await.map_err(|e| broke(&e))?;
    let picture = Arc::new(made.map_err(|refusal| Problem::Failed(refusal.to_string()))?);
    desk.pictures.keep(key, Arc::clone(&picture));
    Ok(view(digest, &picture))
}

fn view(digest: Digest, picture: &Thumbnail) -> PictureView {
    let mut pixels = String::with_capacity(picture.pixels.len() * 6);
    for byte in picture.pixels.iter().flatten() {
        // Writing into a string cannot fail.
        let _written = write!(pixels, "{byte:02x}");
    }
    PictureView { digest, width: picture.width, height: picture.height, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u16) -> Key {
        (Digest::of(&n.to_be_bytes()), 160, 160)
    }

    #[test]
    fn the_longest_unused_goes_first_and_the_bound_holds() {
        let pictures = Pictures::new();
        let small = Arc::new(Thumbnail { width: 160, height: 160, pixels: vec![[1, 2, 3]; 25_600] });
        let room = u16::try_from(KEPT_MAX / (25_600 * 3)).unwrap();
        for n in 0..room {
            pictures.keep(key(n), Arc::clone(&small));
        }
        assert!(pictures.find(key(0)).is_some(), "all fit so far");
        pictures.keep(key(room), Arc::clone(&small));
        assert!(pictures.find(key(1)).is_none(), "the longest unused one");
        assert!(pictures.find(key(0)).is_some(), "it was used after");
        let bytes: usize = pictures.kept.lock().unwrap().iter().map(|(_, p)| p.pixels.len() * 3).sum();
        assert!(bytes <= KEPT_MAX);
    }

    #[test]
    fn pixels_are_told_in_hexadecimal_row_by_row() {
        let picture = Thumbnail { width: 2, height: 1, pixels: vec![[0, 16, 255], [1, 2, 3]] };
        let told = view(Digest::of(b"x"), &picture);
        assert_eq!(told.pixels, "0010ff010203");
        assert_eq!(told.rows(), [[[0, 16, 255], [1, 2, 3]]]);
    }
}
