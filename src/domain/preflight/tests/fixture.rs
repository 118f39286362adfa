//! A small agency for the guards' tests: one client, one account, and the hook swap as its brief.

use std::sync::OnceLock;

use super::super::risk_scan::{Packs, embedded};
use super::super::{Finding, NearbyPost, PreflightFacts, WeekLoad};
use crate::account::{Account, Connection, Servers};
use crate::brief::{Brief, SurfaceId, Template, read};
use crate::client::{BrandKit, Client, Policy};
use crate::hash::Digest;
use crate::hold::Holds;
use crate::id::{ExperimentId, VariantId};
use crate::surface::{Surface, Surfaces};
use crate::text::Untrusted;
use crate::time::{Span, UtcTime, Zone};
use crate::variant::{Asset, Content, Facet, Variant};

pub(crate) struct World {
    pub(crate) brief: Brief,
    pub(crate) client: Client,
    pub(crate) account: Account,
    pub(crate) surface: Surface,
    pub(crate) variants: Vec<Variant>,
    pub(crate) slots: Vec<UtcTime>,
    pub(crate) nearby: Vec<NearbyPost>,
    pub(crate) week: WeekLoad,
    pub(crate) posts_before: u32,
    pub(crate) open_escalation: bool,
    pub(crate) now: UtcTime,
}

pub(crate) fn packs() -> &'static Packs {
    static PACKS: OnceLock<Packs> = OnceLock::new();
    PACKS.get_or_init(|| Packs::load(&embedded()).unwrap())
}

/// A picture that every surface of the tests takes.
pub(crate) fn picture(name: &str) -> Asset {
    Asset {
        facet: Facet::Format,
        file: name.into(),
        digest: Digest::of(name.as_bytes()),
        mime: "image/png".to_owned(),
        bytes: 10_000,
        width: 1200,
        height: 900,
        alt: "A bright hall".into(),
        has_gps: false,
    }
}

impl World {
    /// The hook swap: two variants, five rounds, slots three hours apart from Monday on.
    pub(crate) fn new() -> Self {
        Self::of("hook-swap")
    }

    pub(crate) fn of(template: &str) -> Self {
        let brief = read(Template::named(template).unwrap().text).unwrap();
        let start = brief.run_window.start;
        let posts = i64::from(brief.exposure_plan.posts_per_variant) * 2;
        let client = Client {
            id: "acme".parse().unwrap(),
            name: "Acme".to_owned(),
            zone: Zone::UTC,
            kit: BrandKit::default(),
            policy: Policy::default(),
            policy_version: 1,
            house: ExperimentId::new(start, [1; 10]),
            holds: Holds::default(),
        };
        let account = Account {
            id: "acme-bs".parse().unwrap(),
            client: client.id.clone(),
            platform: brief.platforms[0],
            handle: "acme.test".to_owned(),
            servers: Servers::default(),
            identity: None,
            connection: Connection::Connected { at: start },
            holds: Holds::default(),
            added: start,
            alarms: Vec::new(),
            lost: Vec::new(),
            released: None,
            watched: Vec::new(),
        };
        let mut world = Self {
            surface: Surfaces::embedded().get(&brief.surface).unwrap().clone(),
            brief,
            client,
            account,
            variants: Vec::new(),
            slots: (0..posts).map(|i| start.plus(Span::hours(3).times(i))).collect(),
            nearby: Vec::new(),
            week: WeekLoad::default(),
            posts_before: 100,
            open_escalation: false,
            now: start.minus(Span::days(1)),
        };
        world.make();
        world
    }

    /// Makes the variants anew from the brief.
    pub(crate) fn make(&mut self) {
        let contents = self.brief.contents(&|named| Some(picture(named.file.raw()))).unwrap();
        let letters = 'A'..='Z';
        self.variants = contents
            .into_iter()
            .zip(letters)
            .map(|(rounds, letter)| Variant {
                id: VariantId::new(self.now, [letter as u8; 10]),
                letter,
                revision: 1,
                rounds,
            })
            .collect();
    }

    pub(crate) fn surface(&mut self, id: &str) {
        self.surface = Surfaces::embedded().get(&SurfaceId(id.to_owned())).unwrap().clone();
        self.account.platform = self.surface.platform;
    }

    /// The content of a variant in a round, to be changed.
    pub(crate) fn content(&mut self, variant: usize, round: usize) -> &mut Content {
        &mut self.variants[variant].rounds[round]
    }

    pub(crate) fn say(&mut self, variant: usize, round: usize, facet: Facet, text: &str) {
        self.content(variant, round).facets.insert(facet, Untrusted::new(text));
    }

    pub(crate) fn facts(&self) -> PreflightFacts<'_> {
        PreflightFacts {
            brief: &self.brief,
            client: &self.client,
            account: &self.account,
            surface: &self.surface,
            variants: &self.variants,
            slots: &self.slots,
            nearby: &self.nearby,
            week: &self.week,
            packs: packs(),
            posts_before: self.posts_before,
            open_escalation: self.open_escalation,
            now: self.now,
        }
    }

    /// Another post on the account.
    pub(crate) fn post(&mut self, at: UtcTime, content: &Content) {
        self.nearby.push(NearbyPost {
            post: None,
            at,
            text: content.text(),
            duplicate_key: Some(content.duplicate_key()),
            same_experiment: false,
        });
    }
}

/// The rules of findings, in their order.
pub(crate) fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}
