//! From a brief to an approval and back: guards look again at each step, and every number is used once.

use domain::agency::HomeKind;
use domain::hold::HoldCause;
use domain::refusal::RefusalKind;
use domain::role::Role;

use super::fixture::*;
use crate::{Command, Stoppable};

const TUESDAY: &str = "2027-03-02";

#[tokio::test]
async fn a_brief_goes_the_whole_way_to_its_approval() {
    let world = World::small(HomeKind::Personal).await;
    let code = world.approved(ADA, &BriefText::new("alpha", "rye", TUESDAY)).await;
    let view = world.show(&code).await;
    assert_eq!((view.line.stage.word(), view.line.status.as_str()), ("scheduled", "running"));
    assert_eq!(view.posts.iter().filter(|p| p.approved).count(), 4, "{view:#?}");
}
