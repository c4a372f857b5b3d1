//! What only a server can do: refuse, restart, run others' transactions beside ours.

mod chaos;
mod conflicts;
mod late;
mod moves;
mod nodes;
mod refusals;
mod restarts;
