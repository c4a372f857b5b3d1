//! What has happened, in the order in which it became so: for those who follow their own content and what is shared with
//! them, and for those who administer an enterprise.

mod company;
mod people;
mod place;
mod stream;

pub use company::{EnterpriseEvent, EnterpriseEventPage, EnterpriseEventQuery};
pub use place::{Heads, REMOVE_EVENTS_JOB};
pub(crate) use stream::seen;
pub use stream::{EventPage, EventQuery, EventView};
