//! What a server says when it accepts requests.

use crate::data::Ready;
use crate::store::{ADMINISTRATOR, Start};
use entente_door_kit::tls::trust_advice;
use std::path::Path;

pub(crate) struct Banner<'b> {
    pub(crate) ready: &'b Ready,
    pub(crate) data: &'b Path,
    /// The key files.
    pub(crate) keys: Vec<&'b Path>,
    pub(crate) start: Start,
    /// Where the administrator sets a password, if they have none and somebody looks on.
    pub(crate) link: Option<&'b str>,
}

/// Where the server is, how to log in, and a client to paste.
pub(crate) fn banner(banner: &Banner<'_>) -> String {
    let Banner { ready, data, keys, start, link } = banner;
    let url = ready.public_url.as_ref().unwrap_or(&ready.url);
    let data = data.display();
    let keys: Vec<_> = keys.iter().map(|key| key.display().to_string()).collect();
    let made = match start {
        Start::First => format!(
            "Made a new store in {data} with the administrator {ADMINISTRATOR}.\n\
             Back up {}, apart from the data: without it nothing can be read.\n\n",
            keys.join(" and ")
        ),
        Start::Later => String::new(),
    };
    let s3 = ready.s3_url.as_ref().map_or_else(String::new, |s3_url| {
        format!("S3 clients come in at {s3_url}, with a key from: entente access-key create --data '{data}' --login {ADMINISTRATOR}\n")
    });
    let trust = ready.ca_file.as_ref().map_or_else(String::new, |authority| format!("{}\n", trust_advice(authority)));
    let first = link.map_or_else(
        || {
            format!(
                "Open {url} in a browser, once you have a password:\n\n  \
                 entente user password-link --data '{data}' --login {ADMINISTRATOR}\n\n"
            )
        },
        |link| format!("Set the password of {ADMINISTRATOR} in a browser (good once, for 24 hours):\n\n  {link}\n\n"),
    );
    let export = ready
        .ca_file
        .as_ref()
        .map_or_else(String::new, |authority| format!("  export REQUESTS_CA_BUNDLE='{}'\n", authority.display()));
    format!(
        "{made}Entente serves {url}   (Ctrl-C stops it)\n{s3}\n\
         {first}\
         Let programs in with a token:\n\n  \
         entente token issue --data '{data}' --login {ADMINISTRATOR}\n\n\
         {trust}\
         Try it with Box's Python SDK (pip install boxsdk):\n\n  \
         export TOKEN=$(entente token issue --data '{data}' --login {ADMINISTRATOR})\n\
         {export}  \
         python3 - <<'END'\n  \
         import io, os\n  \
         from box_sdk_gen import *\n  \
         auth = BoxDeveloperTokenAuth(token=os.environ['TOKEN'])\n  \
         urls = BaseUrls(base_url='{url}/box', upload_url='{url}/box/upload', oauth_2_url='{url}/box/oauth2')\n  \
         box = BoxClient(auth=auth, network_session=NetworkSession(base_urls=urls))\n  \
         print('hello,', box.users.get_user_me().name)\n  \
         there = UploadFileAttributes(name='hello.txt', parent=UploadFileAttributesParentField(id='0'))\n  \
         file = box.uploads.upload_file(there, io.BytesIO(b'Hello, world')).entries[0]\n  \
         print(file.name, file.id, box.downloads.download_file(file.id).read())\n  \
         END\n"
    )
}
