//! Small JSON bodies.

use crate::body::{BodyError, read_bounded};
use axum::body::Body;
use serde::de::DeserializeOwned;

/// Why there is no value.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The body could not be read to its end.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The body is no JSON, or not of the wanted shape. The text says where.
    #[error("the request body is not the JSON that is wanted here: {0}")]
    Syntax(#[from] serde_json::Error),
}

/// Reads a body of at most `limit_bytes` and decodes it. An empty body is a syntax error, as JSON has no empty text.
pub async fn read_json<T: DeserializeOwned>(body: Body, limit_bytes: usize) -> Result<T, JsonError> {
    let bytes = read_bounded(body, limit_bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn json_is_read_or_refused() {
        assert_eq!(read_json::<Vec<u8>>(Body::from("[1,2]"), 9).await.unwrap(), [1, 2]);
        let error = read_json::<Vec<u8>>(Body::from("[1,"), 9).await.unwrap_err();
        assert!(error.to_string().contains("line 1 column 3"), "{error}");
        assert!(matches!(
            read_json::<u8>(Body::from("1234"), 3).await,
            Err(JsonError::Body(BodyError::TooLarge { .. }))
        ));
        assert!(matches!(read_json::<u8>(Body::empty(), 3).await, Err(JsonError::Syntax(_))));
    }
}
