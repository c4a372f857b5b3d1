//! Who is told of changes: the targets of the configuration, with their secrets.

use crate::config::TargetConfig;
use crate::exit::{Exit, Failure};
use crate::store::read_secret;
use entente_subscriptions::{Secret, Settings, Target};

/// The targets. `Usage` when a secret is not there, or could be guessed.
pub(crate) fn subscribers(targets: &[TargetConfig]) -> Result<Settings, Failure> {
    let open = |target: &TargetConfig| {
        let TargetConfig { name, url, secret, reach, attempts } = target;
        let what = format!("the secret of the subscription target {name}");
        let wrong = |error| Failure::new(Exit::Usage, format!("{what} {error}"));
        let text = read_secret(secret, &what)?;
        let secret = Secret::new(text.as_bytes().to_vec()).map_err(wrong)?;
        let target = Target::new(name.clone(), url, secret, *reach);
        let target = target
            .map_err(|error| Failure::new(Exit::Usage, format!("the subscription target {name}: its URL {error}")));
        Ok(target?.give_up_after(*attempts))
    };
    Ok(Settings::new(targets.iter().map(open).collect::<Result<_, Failure>>()?))
}
