//! A post as RiskScan sees it: its words, facet by facet, and the facts that decide which rules hold.
//!
//! Nothing is decided here. Facets come in as written; cleaning them is `normalise`'s work.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a post that carries words. The order is the reading order in which facets are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacetName {
    Hook,
    Caption,
    Cta,
    Title,
    Hashtags,
    Alt,
    OnImage,
    Reply,
    FirstComment,
}

impl FacetName {
    /// Whether a reader of the post sees this facet without a click. A disclosure anywhere else does not count.
    pub(super) fn in_plain_sight(self) -> bool {
        match self {
            Self::Hook | Self::Caption | Self::Cta | Self::Title | Self::Hashtags | Self::OnImage => true,
            Self::Alt | Self::Reply | Self::FirstComment => false,
        }
    }

    /// Whether this facet is part of the running text under a post, in which the first 125 characters are counted.
    pub(super) fn in_caption(self) -> bool {
        match self {
            Self::Hook | Self::Caption | Self::Cta | Self::Hashtags => true,
            Self::Title | Self::Alt | Self::OnImage | Self::Reply | Self::FirstComment => false,
        }
    }
}

impl fmt::Display for FacetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hook => "hook",
            Self::Caption => "caption",
            Self::Cta => "cta",
            Self::Title => "title",
            Self::Hashtags => "hashtags",
            Self::Alt => "alt text",
            Self::OnImage => "text on the image",
            Self::Reply => "reply",
            Self::FirstComment => "first comment",
        })
    }
}

/// What is scanned: one post, or one reply on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanInput {
    /// The words, as written. A facet may come more than once (slides, replies); the order among equals is kept.
    pub facets: Vec<(FacetName, String)>,
    /// BCP 47, as `en`, `es-MX`.
    pub locale: String,
    /// As `instagram`, `tiktok`; lower case.
    pub platform: String,
    /// The client's industries. None: only rules for everyone hold.
    pub industries: Vec<String>,
    /// Countries or unions in which the post is shown, as `UK`, `DE`, `EU`. None: shown everywhere, every rule holds.
    pub regions: Vec<String>,
    /// Paid partnership or branded content.
    pub sponsored: bool,
    /// Whether the text on the image or in the video is known: it is in the facets, or there is none.
    pub image_text_known: bool,
    /// Whether the asset was never scanned before.
    pub asset_new: bool,
}
