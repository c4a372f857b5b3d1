//! The frame of every door, over real sockets.

mod bodies;
mod fixture;
mod heads;
mod lifetimes;
mod measuring;
mod tls;
