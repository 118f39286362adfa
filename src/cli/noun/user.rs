//! People: who may use this home, and as what.

use clap::{Subcommand, ValueEnum};
use desk::query::UserView;
use desk::{Answer, Command, Query};
use domain::refusal::Refusal;
use domain::role::Role;

use crate::args::Change;
use crate::error::Failure;
use crate::output::{Block, Told, flow, keep};
use crate::session::{Session, data, take};
use crate::suggest::nearest;
use crate::text::Text;

pub(crate) const EXAMPLES: &str = "\
Examples:
  expos user grant mira --role admin
  expos user grant tom --role operator --client acme --client rye
  expos user whoami";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make somebody a person here, or change what they are
    Grant {
        /// Unix user name
        name: String,
        /// As what
        #[arg(long)]
        role: RoleName,
        /// Unix user id [default: what /etc/passwd says]
        #[arg(long)]
        uid: Option<u32>,
        /// For this client alone; may be given several times [default: all]
        #[arg(long = "client", value_name = "CLIENT")]
        clients: Vec<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Somebody leaves
    Revoke {
        /// Unix user name or id
        user: String,
        #[command(flatten)]
        change: Change,
    },
    /// List people
    List,
    /// Say who the desk takes you for
    Whoami,
}

/// A role, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Sees
    Viewer,
    /// Writes, approves what needs review, stops
    Operator,
    /// Approves what needs a second look too
    Reviewer,
    /// Also people, policies and accounts
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Operator => Self::Operator,
            RoleName::Reviewer => Self::Reviewer,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn run(session: &mut Session<'_>, verb: Verb) -> Result<Told, Failure> {
    match verb {
        Verb::Grant { name, role, uid, clients, change } => {
            let uid = match uid {
                Some(uid) => uid,
                None => look_up(&name)?,
            };
            let mut ids = Vec::new();
            for client in &clients {
                ids.push(session.existing("client", client).await?);
            }
            session.act(Command::UserGrant { uid, name, role: role.into(), clients: ids }, &change).await
        }
        Verb::Revoke { user, change } => {
            let users = take!(session.ask(Query::UserList).await?, Answer::Users)?;
            let uid = uid_of(&users, &user)?;
            session.act(Command::UserRevoke { uid }, &change).await
        }
        Verb::List => {
            let users = take!(session.ask(Query::UserList).await?, Answer::Users)?;
            let columns = vec![keep("uid"), keep("name"), keep("role"), flow("clients")];
            let rows = users
                .iter()
                .map(|u| vec![u.uid.to_string().into(), u.name.as_str().into(), u.role.as_str().into(), clients(u)]);
            Ok(Told::table(columns, rows.collect(), "nobody", data(&users)?))
        }
        Verb::Whoami => {
            let user = take!(session.ask(Query::WhoAmI).await?, Answer::User)?;
            let fields = vec![
                ("name", Text::of(user.name.as_str())),
                ("uid", user.uid.to_string().into()),
                ("role", user.role.as_str().into()),
                ("clients", clients(&user)),
            ];
            Ok(Told::new(vec![Block::Fields(fields)], data(&user)?))
        }
    }
}

fn clients(user: &UserView) -> Text {
    match &user.clients {
        None => Text::of("all"),
        Some(clients) => clients.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(", ").into(),
    }
}

fn uid_of(users: &[UserView], named: &str) -> Result<u32, Failure> {
    let found = users.iter().find(|u| u.name == named || u.uid.to_string() == named);
    found.map(|u| u.uid).ok_or_else(|| {
        let mut refusal = Refusal::not_found("user", named);
        if let Some(near) = nearest(named, users.iter().map(|u| u.name.as_str())) {
            refusal.mend = format!("did you mean `{near}`? {}", refusal.mend);
        }
        refusal.into()
    })
}

fn look_up(name: &str) -> Result<u32, Failure> {
    desk::local::unix_uid(name).ok_or_else(|| {
        Failure::invalid(
            "user.uid",
            format!("user {name}"),
            "this box does not know that name",
            "give the number that `id -u NAME` prints with --uid",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_by_name_or_number() {
        let user = |uid, name: &str| UserView { uid, name: name.to_owned(), role: Role::Viewer, clients: None };
        let users = [user(1001, "mira"), user(1002, "tom")];
        assert_eq!(uid_of(&users, "tom").unwrap(), 1002);
        assert_eq!(uid_of(&users, "1001").unwrap(), 1001);
        assert!(format!("{:?}", uid_of(&users, "miro").unwrap_err()).contains("did you mean `mira`?"));
    }
}
