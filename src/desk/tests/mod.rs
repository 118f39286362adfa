//! What a user of the desk relies on, promise by promise; each file is one promise.

mod breach;
mod escalations;
mod fixture;
mod flow;
mod forged;
mod health;
mod later;
mod layers;
mod matrix;
mod memory;
mod outcome;
mod pictures;
mod repeats;
mod replies;
mod rounds;
mod sheets;
mod socket;
mod two_clients;
mod two_persons;
mod void;
