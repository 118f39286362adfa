//! Roles: who may do what, as one table of data.
//!
//! Decides the cells. Who a person is comes from the kernel and the agency's list; the desk asks here once, before it
//! loads anything; deny is the default. "Not own" is checked here too, given who wrote and who last edited.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::ClientId;
use crate::refusal::{Refusal, RefusalKind};

/// What a person is to the agency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Works the queue.
    Operator,
    /// Approves what needs a second look.
    Reviewer,
    /// People, policies, accounts.
    Admin,
}

impl Role {
    /// All roles, from least to most.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Reviewer, Self::Admin];

    /// Returns the word that screens and commands use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// For which clients somebody works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All, also those to come.
    All,
    /// These alone.
    Only(BTreeSet<ClientId>),
}

impl Scope {
    /// Tells whether a client is inside.
    pub fn holds(&self, client: &ClientId) -> bool {
        match self {
            Self::All => true,
            Self::Only(clients) => clients.contains(client),
        }
    }

    /// Tells whether all that the other holds is inside.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(mine), Self::Only(theirs)) => theirs.is_subset(mine),
        }
    }

    /// Tells whether a client may be inside both.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => true,
            (Self::Only(mine), Self::Only(theirs)) => !mine.is_disjoint(theirs),
        }
    }
}

/// Who asks: the columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// A person with a role.
    Person(Role),
    /// A creator agent.
    Agent,
    /// The engine.
    Engine,
}

impl Column {
    /// All columns, in the table's order.
    pub const ALL: [Self; 6] = [
        Self::Person(Role::Viewer),
        Self::Person(Role::Operator),
        Self::Person(Role::Reviewer),
        Self::Person(Role::Admin),
        Self::Agent,
        Self::Engine,
    ];

    /// Returns the column's head.
    pub const fn head(self) -> &'static str {
        match self {
            Self::Person(Role::Viewer) => "V",
            Self::Person(Role::Operator) => "O",
            Self::Person(Role::Reviewer) => "R",
            Self::Person(Role::Admin) => "A",
            Self::Agent => "G",
            Self::Engine => "E",
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|c| *c == self).unwrap_or(0)
    }
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cell {
    /// Allowed.
    Yes,
    /// Allowed, unless they wrote it or edited it last.
    NotOwn,
    /// Allowed, except on themselves.
    NotSelf,
    /// Allowed to the engine alone, by a rule of its own that the row's documentation names.
    ByRule(&'static str),
    /// Not allowed.
    No,
    /// Allowed to nobody, ever.
    Never,
}

impl Cell {
    /// Returns the text that the printed table shows.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::NotOwn => "not own",
            Self::NotSelf => "not self",
            Self::ByRule(rule) => rule,
            Self::No => "-",
            Self::Never => "never",
        }
    }
}

/// Something that is allowed or not: the rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Clients in scope, screens, reports, Memory.
    See,
    /// Create or edit a brief, ask for variants, tag, note.
    Edit,
    /// Submit for approval, plan, move within the window.
    Submit,
    /// Approve what needs no person.
    ApproveAuto,
    /// Approve at level review.
    ApproveReview,
    /// Approve at level manual, an offer or claim change; a regulated client needs two.
    ApproveManual,
    /// Undo an approval, cancel a post, pause anything.
    Stop,
    /// Resume what an operator paused.
    ResumeOperator,
    /// Resume after a breach.
    ResumeBreach,
    /// Claim a browser card, report its result.
    ClaimCard,
    /// Settle `unconfirmed` as live, with its address.
    SettleLive,
    /// Settle `unconfirmed` as not live; repeat past the duplicate guard.
    SettleNotLive,
    /// Waive a warn finding of a client that is not regulated.
    Waive,
    /// Waive a warn finding of a regulated client.
    WaiveRegulated,
    /// Waive a block finding.
    WaiveBlock,
    /// Send a reply.
    SendReply,
    /// Ship, iterate, abandon; sign confounders; settle an escalation.
    Decide,
    /// Start and sign off a check-in.
    CheckIn,
    /// Connect and disconnect an account, see the state of its login.
    Connect,
    /// People, roles, scopes, policies, rule packs, limits.
    Administer,
    /// Export reports in scope.
    ExportReports,
    /// Export the whole audit trail.
    ExportAudit,
    /// Hold the engine.
    HoldEngine,
    /// Release the engine, restore, migrate.
    ReleaseEngine,
    /// Make and check a backup.
    Backup,
    /// Read the value of a token.
    ReadToken,
    /// Edit the log.
    EditEvents,
}

/// One row: an action, its words, the commands that need it (none: later), and its cells in the order of
/// [`Column::ALL`].
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The action.
    pub action: Action,
    /// What the printed table calls it.
    pub label: &'static str,
    /// The command line's verbs that need it; where there are none the printed table says `later`.
    pub verbs: &'static [&'static str],
    /// V, O, R, A, G, E.
    pub cells: [Cell; 6],
}

const Y: Cell = Cell::Yes;
const N: Cell = Cell::No;
const O: Cell = Cell::NotOwn;
const X: Cell = Cell::Never;

const fn row(action: Action, label: &'static str, verbs: &'static [&'static str], cells: [Cell; 6]) -> Row {
    Row { action, label, verbs, cells }
}

/// The whole table.
pub const MATRIX: [Row; 27] = [
    row(
        Action::See,
        "see clients in scope, screens, reports, Memory",
        &["* list", "* show", "learning search", "events tail", "health"],
        [Y, Y, Y, Y, Cell::ByRule("its task only"), Y],
    ),
    row(
        Action::Edit,
        "create or edit a brief, ask for variants, tag, note",
        &["brief new", "brief edit", "variant edit", "preflight run"],
        [N, Y, Y, Y, Cell::ByRule("draft variants"), N],
    ),
    row(
        Action::Submit,
        "submit for approval, plan, move within the window",
        &["experiment submit", "experiment drop", "calendar move"],
        [N, Y, Y, Y, N, Cell::ByRule("auto-plan")],
    ),
    row(
        Action::ApproveAuto,
        "approve level auto",
        &[],
        [N, N, N, Cell::ByRule("policy only"), N, Cell::ByRule("executes")],
    ),
    row(Action::ApproveReview, "approve level review", &["queue approve", "queue reject"], [N, O, O, O, N, N]),
    row(
        Action::ApproveManual,
        "approve level manual, offer or claim change; regulated: two persons",
        &["queue approve", "queue reject"],
        [N, N, O, O, N, N],
    ),
    row(
        Action::Stop,
        "undo an approval, cancel a post, pause anything",
        &["undo", "post cancel", "experiment pause", "experiment stop", "account pause", "client pause", "stop-all"],
        [N, Y, Y, Y, N, Cell::ByRule("pause only")],
    ),
    row(
        Action::ResumeOperator,
        "resume after operator pause",
        &["experiment resume", "account resume", "client resume"],
        [N, Y, Y, Y, N, N],
    ),
    row(
        Action::ResumeBreach,
        "resume after breach",
        &["experiment resume", "account resume", "client resume"],
        [N, N, Y, Y, N, N],
    ),
    row(Action::ClaimCard, "claim a browser card, report its result", &[], [N, Y, Y, Y, N, N]),
    row(
        Action::SettleLive,
        "settle unconfirmed as live (with url)",
        &["post confirm --live"],
        [N, Y, Y, Y, N, Cell::ByRule("by look")],
    ),
    row(
        Action::SettleNotLive,
        "settle unconfirmed as not live; repeat past the duplicate guard",
        &["post confirm --not-live"],
        [N, N, Y, Y, N, N],
    ),
    row(Action::Waive, "waive a warn finding: not regulated", &[], [N, O, O, O, N, N]),
    row(Action::WaiveRegulated, "waive a warn finding: regulated client", &[], [N, N, O, O, N, N]),
    row(Action::WaiveBlock, "waive a block finding", &[], [X, X, X, X, X, X]),
    row(Action::SendReply, "send a reply", &["reply send", "reply skip"], [N, Y, Y, Y, N, N]),
    row(
        Action::Decide,
        "decide ship, iterate, abandon; sign confounders; settle an escalation",
        &["escalation take", "escalation resolve", "outcome sign", "experiment decide", "learning retract"],
        [N, Y, Y, Y, N, Cell::ByRule("invalid by a validity check only")],
    ),
    row(
        Action::CheckIn,
        "check-in start, sign off",
        &["checkin sign", "queue later", "queue back"],
        [N, Y, Y, Y, N, N],
    ),
    row(
        Action::Connect,
        "connect, disconnect an account, see the state of its login",
        &["account connect", "account disconnect"],
        [N, N, N, Y, N, Cell::ByRule("refresh")],
    ),
    row(
        Action::Administer,
        "people, roles, scopes, policies, rule packs, limits",
        &["user grant", "user revoke", "client new", "client edit", "policy edit"],
        [N, N, N, Cell::NotSelf, N, N],
    ),
    row(Action::ExportReports, "export reports in scope", &["report show"], [Y, Y, Y, Y, N, N]),
    row(Action::ExportAudit, "export the full audit", &[], [N, N, N, Y, N, N]),
    row(Action::HoldEngine, "hold the engine", &["engine hold"], [N, Y, Y, Y, N, N]),
    row(Action::ReleaseEngine, "release the engine, restore, migrate", &["engine release"], [N, N, N, Y, N, N]),
    row(Action::Backup, "backup", &["store backup"], [N, N, N, Y, N, Cell::ByRule("backup")]),
    row(Action::ReadToken, "read a token value", &[], [X, X, X, X, X, X]),
    row(Action::EditEvents, "edit events", &[], [X, X, X, X, X, X]),
];

/// Returns what the table says.
pub fn cell(action: Action, column: Column) -> Cell {
    MATRIX
        .iter()
        .find(|row| row.action == action)
        .and_then(|row| row.cells.get(column.index()))
        .copied()
        .unwrap_or(Cell::No)
}

/// What "own" is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership<'a> {
    /// The Unix user ids of the author and of the last editor.
    pub authors: &'a [u32],
    /// Whether "not own" is in force; a home of one person has it off until a second is granted.
    pub not_own: NotOwn,
}

/// Whether nobody approves their own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotOwn {
    /// It holds.
    InForce,
    /// One person has this home to themselves. Shown on each approval.
    Off,
}

/// Asks the table for a person.
///
/// Refuses with exit 5, naming the roles that may.
pub fn authorise(action: Action, role: Role, uid: u32, own: Ownership<'_>) -> Result<(), Refusal> {
    let not_allowed =
        |why: String, mend: String| Refusal::new(RefusalKind::NotAllowed, "role", label(action), why, mend);
    match cell(action, Column::Person(role)) {
        Cell::Yes | Cell::NotSelf => Ok(()),
        Cell::NotOwn => {
            if own.not_own == NotOwn::InForce && own.authors.contains(&uid) {
                Err(not_allowed(
                    "you wrote it or edited it last".to_owned(),
                    "ask somebody else who may approve".to_owned(),
                ))
            } else {
                Ok(())
            }
        }
        Cell::ByRule(rule) => Err(not_allowed(format!("only {rule}"), "nothing a person sends does this".to_owned())),
        Cell::Never => {
            Err(not_allowed("nobody may, ever".to_owned(), "mend what stands in the way instead".to_owned()))
        }
        Cell::No => {
            let may: Vec<&str> = Role::ALL
                .into_iter()
                .filter(|r| matches!(cell(action, Column::Person(*r)), Cell::Yes | Cell::NotOwn | Cell::NotSelf))
                .map(Role::as_str)
                .collect();
            let article = if matches!(role, Role::Operator | Role::Admin) { "an" } else { "a" };
            Err(not_allowed(format!("{article} {role} may not"), format!("ask a person who is {}", may.join(" or "))))
        }
    }
}

/// Returns the printed words of an action.
pub fn label(action: Action) -> &'static str {
    MATRIX.iter().find(|row| row.action == action).map_or("this", |row| row.label)
}

/// Returns the whole table as text: one line a row, cells parted by ` | `, `later` where no verb exists yet.
pub fn print() -> String {
    let heads: Vec<&str> = Column::ALL.into_iter().map(Column::head).collect();
    let mut out = format!("action | {} | verbs\n", heads.join(" | "));
    for row in &MATRIX {
        let cells: Vec<&str> = row.cells.iter().map(|cell| cell.text()).collect();
        let verbs = if row.verbs.is_empty() { "later".to_owned() } else { row.verbs.join(", ") };
        out.push_str(&format!("{} | {} | {verbs}\n", row.label, cells.join(" | ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_is_inside_it_and_meets_what_it_shares() {
        let only = |names: &[&str]| Scope::Only(names.iter().map(|name| name.parse().unwrap()).collect());
        let (acme, both, other) = (only(&["acme"]), only(&["acme", "beta"]), only(&["gamma"]));
        for (one, two, covers, meets) in [
            (&Scope::All, &Scope::All, true, true),
            (&Scope::All, &acme, true, true),
            (&acme, &Scope::All, false, true),
            (&both, &acme, true, true),
            (&acme, &both, false, true),
            (&both, &other, false, false),
        ] {
            assert_eq!((one.covers(two), one.meets(two)), (covers, meets), "{one:?} and {two:?}");
        }
    }

    #[test]
    fn every_action_has_one_row() {
        let actions: BTreeSet<Action> = MATRIX.iter().map(|row| row.action).collect();
        assert_eq!(actions.len(), MATRIX.len());
    }

    #[test]
    fn nobody_approves_their_own_work_where_the_rule_is_in_force() {
        let own = |not_own| Ownership { authors: &[7], not_own };
        assert!(authorise(Action::ApproveReview, Role::Admin, 7, own(NotOwn::InForce)).is_err());
        assert!(authorise(Action::ApproveReview, Role::Admin, 8, own(NotOwn::InForce)).is_ok());
        assert!(authorise(Action::ApproveReview, Role::Operator, 7, own(NotOwn::Off)).is_ok());
        let refusal = authorise(Action::ApproveManual, Role::Operator, 8, own(NotOwn::InForce)).unwrap_err();
        assert!(refusal.mend.contains("reviewer or admin"), "{refusal}");
        for role in Role::ALL {
            assert!(authorise(Action::ReadToken, role, 8, own(NotOwn::Off)).is_err());
            assert!(authorise(Action::WaiveBlock, role, 8, own(NotOwn::Off)).is_err());
        }
    }
}
