//! Pictures of users.

use super::form::Form;
use super::users::avatar_url;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::wire::person::{PictureUrls, UserAvatar};
use axum::body::Body;
use axum::response::Response;
use entente_model::{Caller, UserId};
use entente_tree::{AVATAR_BYTES_MAX, AvatarBefore, AvatarKind};
use http::{HeaderValue, StatusCode, header};

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let avatar = asked.tree().avatar(&caller, asked.id("user_id")?).await?;
    let media_type = match avatar.kind {
        AvatarKind::Png => "image/png",
        AvatarKind::Jpeg => "image/jpeg",
    };
    let mut response = Response::new(Body::from(avatar.image));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // It is somebody's own file: no browser shall take it for anything else.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    Ok(response)
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let user: UserId = asked.id("user_id")?;
    let image = Form::open(&mut asked)?.part("pic", AVATAR_BYTES_MAX).await?;
    let before = asked.tree().set_avatar(&caller, user, image).await?;
    let url = avatar_url(&asked, user);
    let status = match before {
        AvatarBefore::None => StatusCode::CREATED,
        AvatarBefore::Replaced => StatusCode::OK,
    };
    let pic_urls = PictureUrls { small: &url, large: &url, preview: &url };
    Ok(answer::json(status, &UserAvatar { pic_urls }))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_avatar(&caller, asked.id("user_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
