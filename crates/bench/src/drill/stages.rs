//! What takes how long: the parts of a drill, told as they end.

use entente_world::World;
use serde_json::{Map, Value};
use tokio::time::Instant;

/// A clock that is read at the end of each part.
pub struct Stages {
    world: World,
    since: Instant,
    seconds: Map<String, Value>,
}

impl Stages {
    /// The first part begins.
    pub fn new(world: &World) -> Self {
        Self { world: world.clone(), since: world.instant(), seconds: Map::new() }
    }

    /// A part ends here, and the next begins. Tells how many seconds it took.
    pub fn end(&mut self, part: &str) -> f64 {
        let seconds = self.since.elapsed().as_secs_f64();
        println!("  {seconds:>7.1} s  {part}");
        self.since = self.world.instant();
        self.seconds.insert(part.replace(',', "").replace(' ', "_"), seconds.into());
        seconds
    }

    /// Seconds by part, for the report.
    pub fn seconds(self) -> Value {
        Value::Object(self.seconds)
    }
}
