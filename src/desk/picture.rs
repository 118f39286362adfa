//! Pictures to be looked at: a small one for whoever may see the experiment, whichever Unix user they are.
//!
//! Decides who gets one (whoever may read the experiment whose variants show it: a digest alone opens nothing, T7), and how
//! much of the box that takes: each picture is decoded once, one at a time, whoever asks and however often they hang up;
//! smaller sizes are made of what is kept, within a bound, the longest unused going first. How a picture is made small is
//! `media`'s.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use domain::experiment::Experiment;
use domain::hash::Digest;
use domain::refusal::{Refusal, RefusalKind};
use media::Thumbnail;
use media::limits::PREVIEW_SIDE_MAX;
use tokio::sync::Semaphore;

use crate::query::PictureView;
use crate::{Desk, Problem};

/// The most bytes of pixels that are kept.
const KEPT_MAX: usize = 4 * 1024 * 1024;
/// What bytes that no decoder takes count as; that is kept too, so that they are not tried again and again. A file that is
/// gone or damaged is not: it may be put back.
const REASON: usize = 1024;

/// A picture's preview, or why there is none.
type Made = Result<Arc<Thumbnail>, String>;

/// The small pictures that were made, and the leave to make one.
#[derive(Debug)]
pub(crate) struct Pictures {
    kept: Mutex<VecDeque<(Digest, Made)>>,
    pub(crate) making: Arc<Semaphore>,
}

impl Pictures {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::new(VecDeque::new()), making: Arc::new(Semaphore::new(1)) }
    }

    fn find(&self, digest: Digest) -> Option<Made> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| *other == digest)?;
        let found = kept.remove(at)?;
        let made = found.1.clone();
        kept.push_back(found);
        Some(made)
    }

    fn keep(&self, digest: Digest, made: Made) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((digest, made));
        let mut bytes: usize = kept.iter().map(|(_, made)| weight(made)).sum();
        while bytes > KEPT_MAX {
            let Some((_, oldest)) = kept.pop_front() else { return };
            bytes = bytes.saturating_sub(weight(&oldest));
        }
    }
}

fn weight(made: &Made) -> usize {
    made.as_ref().map_or(REASON, |picture| picture.pixels.len() * 3)
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
    let made = match desk.pictures.find(digest) {
        Some(made) => made,
        None => make(desk, digest).await?,
    };
    let picture = made.map_err(Problem::Failed)?;
    Ok(view(digest, &picture.within(granted.width, granted.height)))
}

async fn make(desk: &Desk, digest: Digest) -> Result<Made, Problem> {
    let broke = |e: &dyn std::fmt::Display| Problem::Failed(format!("reading the picture broke off: {e}"));
    let leave = Arc::clone(&desk.pictures.making).acquire_owned().await.map_err(|e| broke(&e))?;
    // Whoever had leave before may have made this one.
    if let Some(made) = desk.pictures.find(digest) {
        return Ok(made);
    }
    let (folder, pictures) = (desk.home.content_store(), Arc::clone(&desk.pictures));
    let work = tokio::task::spawn_blocking(move || {
        // The leave ends with the work: whoever asked may have hung up long ago.
        let _leave = leave;
        let bytes = media::open_verified(&folder, &digest).map_err(|refusal| refusal.to_string())?;
        let made = media::thumbnail(&bytes, PREVIEW_SIDE_MAX, PREVIEW_SIDE_MAX);
        let made: Made = made.map(Arc::new).map_err(|refusal| refusal.to_string());
        pictures.keep(digest, made.clone());
        made
    });
    work.await.map_err(|e| broke(&e))
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

    fn digest(n: u16) -> Digest {
        Digest::of(&n.to_be_bytes())
    }

    #[test]
    fn the_longest_unused_goes_first_and_the_bound_holds() {
        let pictures = Pictures::new();
        let small: Made = Ok(Arc::new(Thumbnail { width: 160, height: 160, pixels: vec![[1, 2, 3]; 25_600] }));
        let room = u16::try_from(KEPT_MAX / (25_600 * 3)).unwrap();
        for n in 0..room {
            pictures.keep(digest(n), small.clone());
        }
        assert!(pictures.find(digest(0)).is_some(), "all fit so far");
        pictures.keep(digest(room), Err("it is no picture".to_owned()));
        assert!(pictures.find(digest(1)).is_some(), "there was room for a reason");
        pictures.keep(digest(room + 1), small);
        assert!(pictures.find(digest(2)).is_none(), "the longest unused one");
        assert!(pictures.find(digest(0)).is_some(), "it was used after");
        let bytes: usize = pictures.kept.lock().unwrap().iter().map(|(_, made)| weight(made)).sum();
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
