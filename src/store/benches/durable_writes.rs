//! Durable writes, as ratios to what the disk gives: one overwrite of 8 KiB and `fdatasync`, measured in the same run.
//!
//! Each transaction is one event of about 600 bytes and one read row brought up to date, on the writer's thread, answered
//! after COMMIT returned. Rounds of both sides are interleaved; medians are told. Targets: one waiting caller 0.4 of the
//! disk's rate, eight 2, sixty-four 5. Counts (commits for so many transactions) do not depend on the machine.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, RealClock};
use domain::actor::{Actor, Person};
use domain::agency::{Agency, AgencyEvent, HomeKind};
use domain::hold::{Hold, HoldCause};
use domain::role::{Role, Scope};
use domain::time::UtcTime;
use store::{Cause, Home, Open, Store};

const ROUNDS: usize = 7;
const CALLERS: [usize; 3] = [1, 8, 64];
const ROUND: Duration = Duration::from_millis(700);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("expos-durable-writes-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let measured = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock);
    let home = Home::new(folder.join("home"));
    let ada = Person { uid: 1000, name: "ada".to_owned(), role: Role::Admin, scope: Scope::All };
    let actor = Actor::from(&ada);
    let founding = Agency::found(HomeKind::Personal, ada, UtcTime::from(clock.wall()));
    Store::create(&home, founding, Cause::new(actor, "init"), Arc::clone(&clock))?;
    let store = Store::open(&home, Open::Owner, Arc::clone(&clock))?;
    let disk = overwritten(folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut ratios: Vec<Vec<f64>> = vec![Vec::new(); CALLERS.len()];
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); CALLERS.len()];
    let mut grouped: Vec<(u64, u64)> = vec![(0, 0); CALLERS.len()];
    let mut disks = Vec::new();
    // Grow the log to its full size first: writing over it is the state that lasts.
    runtime.block_on(round(&store, 64, Duration::from_secs(2)));
    for _ in 0..ROUNDS {
        for (place, callers) in CALLERS.into_iter().enumerate() {
            let sync = synced(&clock, &disk)?;
            let before = store.counts();
            let rate = runtime.block_on(round(&store, callers, ROUND));
            let after = store.counts();
            disks.push(sync);
            if let (Some(ratios), Some(rates), Some(grouped)) =
                (ratios.get_mut(place), rates.get_mut(place), grouped.get_mut(place))
            {
                ratios.push(rate / sync);
                rates.push(rate);
                grouped.0 += after.transactions - before.transactions;
                grouped.1 += after.commits - before.commits;
            }
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "one 8 KiB overwrite + fdatasync: {:.0} a second (median of {})",
        median(&mut disks),
        ROUNDS * CALLERS.len()
    )?;
    writeln!(out, "callers      tx/s   x sync   target   transactions   commits   tx a commit")?;
    for (((callers, ratio), rate), ((transactions, commits), target)) in
        CALLERS.iter().zip(&mut ratios).zip(&mut rates).zip(grouped.iter().zip([0.4, 2.0, 5.0]))
    {
        let each = f64::from(u32::try_from(*transactions)?) / f64::from(u32::try_from((*commits).max(1))?);
        writeln!(
            out,
            "{callers:>7}  {:>8.0}  {:>7.2}  {target:>7.1}  {transactions:>13}  {commits:>8}  {each:>12.1}",
            median(rate),
            median(ratio)
        )?;
    }
    let counts = store.counts();
    writeln!(
        out,
        "in all: {} transactions, {} commits, {} checkpoints",
        counts.transactions, counts.commits, counts.checkpoints
    )?;
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn overwritten(folder: &std::path::Path) -> std::io::Result<File> {
    let file =
        OpenOptions::new().create(true).truncate(true).read(true).write(true).open(folder.join("overwritten"))?;
    for block in 0..64 {
        file.write_all_at(&[7; 8192], block * 8192)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// Returns how many single overwrites a second reach the disk.
fn synced(clock: &Arc<dyn Clock>, file: &File) -> std::io::Result<f64> {
    let begun = clock.boot();
    let mut done = 0_u32;
    while clock.boot().since(begun) < ROUND / 3 {
        file.write_all_at(&[u8::try_from(done % 251).unwrap_or(0); 8192], u64::from(done % 64) * 8192)?;
        file.sync_data()?;
        done += 1;
    }
    Ok(f64::from(done) / clock.boot().since(begun).as_secs_f64())
}

/// Returns how many transactions a second are answered to so many callers, each of whom waits for its answer.
async fn round(store: &Store, callers: usize, length: Duration) -> f64 {
    let clock = Arc::clone(store.clock());
    let begun = clock.boot();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (store, clock) = (store.clone(), Arc::clone(&clock));
            async move {
                let mut done = 0_u32;
                while clock.boot().since(begun) < length {
                    if store.write(Cause::engine("bench"), one).await.is_err() {
                        break;
                    }
                    done += 1;
                }
                done
            }
        })
        .collect();
    let mut set = tokio::task::JoinSet::new();
    let local = tokio::task::LocalSet::new();
    for task in tasks {
        set.spawn_local_on(task, &local);
    }
    let done = local
        .run_until(async {
            let mut all = 0_u32;
            while let Some(Ok(done)) = set.join_next().await {
                all += done;
            }
            all
        })
        .await;
    f64::from(done) / clock.boot().since(begun).as_secs_f64()
}

/// One event of about 600 bytes, one read row.
fn one(tx: &mut store::Tx<'_>) -> Result<(), store::Stop> {
    let hold = Hold::new(HoldCause::Operator, "ada", tx.now(), "x".repeat(500));
    // A release after each hold, in turn, keeps the row as small as an account's or a post's.
    let event = if tx.load::<Agency>(&())?.holds.is_free() {
        AgencyEvent::AgencyHeld { hold }
    } else {
        AgencyEvent::AgencyReleased { reason: "x".repeat(550), holds: Vec::new() }
    };
    tx.append::<Agency>(&(), vec![event])?;
    Ok(())
}
