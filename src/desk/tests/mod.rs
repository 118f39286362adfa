//! What a user of the desk relies on, promise by promise; each file is one promise.

mod fixture;
mod flow;
mod forged;
mod layers;
mod matrix;
mod pictures;
mod repeats;
mod sheets;
mod socket;
mod two_clients;
mod two_persons;
mod void;
