//! What is known: the desk's answers as they last came.
//!
//! Decides how an answer is kept and what must be asked again when the log grows. What is shown of it is the panes'
//! business; whether it is still true is `link`'s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use desk::Answer;
use desk::presence::Present;
use desk::query::{
    AccountView, AccountWhole, ClientView, EventLine, ExperimentLine, ExperimentView, Health, LayerView, LearningView,
    PostLine, PostView, QueueLine, ReviewView, SnapshotView, UserView,
};
use desk::rounds::RoundView;
use domain::checkin::{Checkin, Round};
use domain::escalation::Escalation;
use domain::id::{AccountId, ClientId, ExperimentId, PostId};
use domain::outcome::Outcome;
use domain::time::Zone;

use crate::clean::Clean;
use crate::item::Item;
use crate::message::{Ask, Picture};
use crate::picture::Pixels;

/// The most columns of somebody's name.
const NAME_MAX: usize = 12;
/// How many events are kept for the screen.
const EVENTS_MAX: usize = 500;

/// The desk's answers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) me: Option<UserView>,
    pub(crate) clients: BTreeMap<ClientId, ClientView>,
    zones: BTreeMap<ClientId, Zone>,
    pub(crate) accounts: BTreeMap<AccountId, AccountView>,
    pub(crate) whole: BTreeMap<AccountId, AccountWhole>,
    /// Accounts that the desk does not tell of; they are asked for once.
    pub(crate) lost_accounts: BTreeSet<AccountId>,
    /// The posts of today, yesterday and tomorrow.
    pub(crate) day_posts: Option<Vec<PostLine>>,
    pub(crate) queue: Option<BTreeMap<ExperimentId, QueueLine>>,
    pub(crate) items: BTreeMap<ExperimentId, Item>,
    pub(crate) experiments: Option<BTreeMap<ExperimentId, ExperimentLine>>,
    pub(crate) details: BTreeMap<ExperimentId, ExperimentView>,
    pub(crate) snapshots: BTreeMap<String, Vec<SnapshotView>>,
    /// By code; or why there is none.
    pub(crate) outcomes: BTreeMap<String, Result<Outcome, String>>,
    /// By code; or why there is none.
    pub(crate) reviews: BTreeMap<String, Result<ReviewView, String>>,
    /// For which words, and what was found.
    pub(crate) learnings: Option<(String, Vec<LearningView>)>,
    pub(crate) escalations: Option<Vec<Escalation>>,
    /// The rounds of today, for one client or for all.
    pub(crate) rounds: Option<(Option<ClientId>, Vec<RoundView>)>,
    /// Signed rounds, the newest first.
    pub(crate) checkins: Vec<Checkin>,
    pub(crate) layers: Option<Vec<LayerView>>,
    pub(crate) users: Vec<UserView>,
    pub(crate) health: Option<Health>,
    /// Who else has a dashboard open.
    pub(crate) people: Vec<Present>,
    pub(crate) events: VecDeque<EventLine>,
    pub(crate) posts: BTreeMap<PostId, PostView>,
    /// Posts that the desk does not tell of; they are asked for once.
    pub(crate) lost_posts: BTreeSet<PostId>,
    /// Those of the present screen; or why one did not come.
    pub(crate) pictures: BTreeMap<Picture, Result<Pixels, String>>,
}

impl Known {
    /// Keeps an answer.
    pub(crate) fn keep(&mut self, ask: &Ask, answer: Answer) {
        match answer {
            Answer::User(me) => self.me = Some(me),
            Answer::Users(users) => self.users = users,
            Answer::Clients(clients) => {
                self.zones = clients.iter().filter_map(|c| Some((c.id.clone(), c.zone.parse().ok()?))).collect();
                self.clients = clients.into_iter().map(|client| (client.id.clone(), client)).collect();
            }
            Answer::Client(client) => {
                self.clients.insert(client.id.clone(), *client);
            }
            Answer::Accounts(accounts) => {
                self.accounts = accounts.into_iter().map(|account| (account.id.clone(), account)).collect();
            }
            Answer::Account(whole) => {
                self.accounts.insert(whole.account.id.clone(), whole.account.clone());
                self.whole.insert(whole.account.id.clone(), *whole);
            }
            Answer::Posts(posts) => self.day_posts = Some(posts),
            Answer::Queue(lines) => {
                self.queue = Some(lines.into_iter().map(|line| (line.line.id, line)).collect());
            }
            Answer::Sheet(sheet) => {
                self.items.insert(sheet.line.id, Item::of(*sheet));
            }
            Answer::Experiments(lines) => {
                self.experiments = Some(lines.into_iter().map(|line| (line.id, line)).collect());
            }
            Answer::Experiment(view) => {
                self.details.insert(view.line.id, *view);
            }
            Answer::Escalations(mut escalations) => {
                escalations.sort_by_key(|escalation| (escalation.urgency, escalation.due));
                self.escalations = Some(escalations);
            }
            Answer::Checkins(checkins) => self.checkins = checkins,
            Answer::Layers(layers) => self.layers = Some(layers),
            Answer::Health(health) => self.health = Some(health),
            Answer::Beat { health, people } => {
                self.health = Some(health);
                self.people = people;
            }
            Answer::Events(events) => self.add_events(events),
            Answer::Post(post) => {
                self.posts.insert(post.line.id, *post);
            }
            Answer::Snapshots(snapshots) => {
                if let Ask::Snapshots(code) = ask {
                    self.snapshots.insert(code.clone(), snapshots);
                }
            }
            Answer::Outcome(view) => {
                self.outcomes.insert(view.line.code, Ok(view.outcome));
            }
            Answer::Review(view) => {
                self.reviews.insert(view.line.code.clone(), Ok(*view));
            }
            Answer::Learnings(found) => {
                if let Ask::Learnings(text) = ask {
                    self.learnings = Some((text.clone(), found));
                }
            }
            Answer::Rounds(rounds) => {
                if let Ask::Rounds { client } = ask {
                    self.rounds = Some((client.clone(), rounds));
                }
            }
            Answer::Picture(view) => {
                if let Ask::Picture(picture) = ask {
                    self.pictures.insert(picture.clone(), Ok(view.rows()));
                }
            }
            // Nothing here asks these.
            Answer::Escalation(_)
            | Answer::Store(_)
            | Answer::Checkin(_)
            | Answer::Report(_)
            | Answer::Learning(_)
            | Answer::Replies(_)
            | Answer::Reply(_) => {}
        }
    }

    /// Adds events that are not known yet, newest last.
    pub(crate) fn add_events(&mut self, events: Vec<EventLine>) {
        let last = self.events.back().map_or(0, |event| event.n);
        self.events.extend(events.into_iter().filter(|event| event.n > last));
        while self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    /// Returns what an event makes worth asking again.
    pub(crate) fn touched_by(&self, event: &EventLine) -> Vec<Ask> {
        let (kind, key) = event.stream.split_once('/').unwrap_or((event.stream.as_str(), ""));
        match kind {
            "experiment" | "post" => {
                let mut asks = vec![Ask::Queue, Ask::Experiments];
                asks.extend(key.parse().ok().filter(|post| self.posts.contains_key(post)).map(Ask::Post));
                let known = |view: &&ExperimentView| {
                    view.line.id.to_string() == key || view.posts.iter().any(|post| post.id.to_string() == key)
                };
                for code in self.details.values().filter(known).map(|view| &view.line.code) {
                    asks.push(Ask::Experiment(code.clone()));
                    if self.reviews.contains_key(code) {
                        asks.push(Ask::Review(code.clone()));
                    }
                    if self.outcomes.contains_key(code) {
                        asks.extend([Ask::Snapshots(code.clone()), Ask::Outcome(code.clone())]);
                    }
                }
                asks
            }
            "escalation" => vec![Ask::Escalations],
            "checkin" => vec![Ask::Checkins],
            "layer" => vec![Ask::Layers],
            "account" => {
                let known = key.parse().ok().filter(|account| self.whole.contains_key(account)).map(Ask::Account);
                [Ask::Accounts, Ask::Queue].into_iter().chain(known).collect()
            }
            "client" => vec![Ask::Clients, Ask::Accounts, Ask::Queue],
            "agency" => vec![Ask::Me, Ask::Users, Ask::Health],
            _ => Vec::new(),
        }
    }

    /// Returns a round of today as it stands for these clients.
    pub(crate) fn round(&self, client: Option<&ClientId>, round: Round) -> Option<&RoundView> {
        let (of, rounds) = self.rounds.as_ref()?;
        rounds.iter().find(|found| found.round == round).filter(|_| of.as_ref() == client)
    }

    /// Returns where the day of the rounds is; none where the desk did not say yet.
    pub(crate) fn office(&self) -> Option<Zone> {
        Some(self.rounds.as_ref()?.1.first()?.zone)
    }

    /// Says who else has an experiment open: `mira is on this`.
    pub(crate) fn on_this(&self, id: ExperimentId) -> Option<Clean> {
        let mut on = self.people.iter().filter(|person| person.on == Some(id));
        let first = on.next()?;
        // A name comes from outside, and the words after it must stay in sight.
        let name = Clean::of(first.name.clone()).cut(NAME_MAX).plain();
        Some(Clean::of(match on.count() {
            0 => format!("{name} is on this"),
            more => format!("{name} and {more} more are on this"),
        }))
    }

    /// Returns a client's zone.
    pub(crate) fn zone(&self, client: &ClientId) -> Zone {
        self.zones.get(client).copied().unwrap_or(Zone::UTC)
    }

    /// Returns a client's full name.
    pub(crate) fn client_name(&self, client: &ClientId) -> String {
        self.clients.get(client).map_or_else(|| client.to_string(), |found| found.name.clone())
    }

    /// Returns an account's handle, with its sign.
    pub(crate) fn handle(&self, account: &AccountId) -> String {
        self.accounts.get(account).map_or_else(|| account.to_string(), |found| format!("@{}", found.handle))
    }

    /// Returns the sheet of a queue line, if it is the one that the line speaks of.
    pub(crate) fn item(&self, id: ExperimentId) -> Option<&Item> {
        let item = self.items.get(&id)?;
        match self.queue.as_ref().and_then(|queue| queue.get(&id)) {
            Some(line) => item.sheet.fingerprint.starts_with(&line.fingerprint).then_some(item),
            None => Some(item),
        }
    }

    /// Returns the codes of queue items whose sheet is not the present one.
    pub(crate) fn sheets_wanted(&self) -> BTreeSet<Ask> {
        let lines = self.queue.iter().flat_map(BTreeMap::values);
        lines.filter(|line| self.item(line.line.id).is_none()).map(|line| Ask::Sheet(line.line.code.clone())).collect()
    }

    /// Returns an experiment's line, wherever it is known from.
    pub(crate) fn line(&self, id: ExperimentId) -> Option<&ExperimentLine> {
        let listed = self.experiments.as_ref().and_then(|all| all.get(&id));
        listed.or_else(|| self.items.get(&id).map(|item| &item.sheet.line))
    }

    /// Returns how a stream is called by people: an experiment's code, a post's experiment and letter.
    pub(crate) fn stream_name(&self, stream: &str) -> String {
        let (kind, key) = stream.split_once('/').unwrap_or((stream, ""));
        match kind {
            "experiment" => {
                let id = key.parse().ok();
                id.and_then(|id| self.line(id)).map_or_else(|| kind.to_owned(), |line| line.code.clone())
            }
            "post" => {
                let posts = self.details.values().flat_map(|view| &view.posts);
                let sheets = self.items.values().flat_map(|item| item.sheet.posts.iter().map(|post| &post.line));
                let found = posts.chain(sheets).find(|post| post.id.to_string() == key);
                found.map_or_else(
                    || "post".to_owned(),
                    |post| format!("{} {}{}", post.experiment, post.letter, post.number),
                )
            }
            "escalation" | "agency" => kind.to_owned(),
            _ => key.to_owned(),
        }
    }
}
