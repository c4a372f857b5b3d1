"""Tokens: issued by the operator, by client credentials and by JWT assertion; and taken away again."""

import json

import pytest
from box_sdk_gen import BoxAPIError, BoxClient, BoxJWTAuth, JWTConfig
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kit import download, names_in, new_folder, refused, upload
from typed import well_typed

PASSPHRASE = "open sesame"


def encrypted_pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(PASSPHRASE.encode()),
    ).decode()


@pytest.fixture(scope="module")
def app(server):
    return server.new_app("python client credentials")


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def signing_app(server, key, tmp_path_factory):
    pem = tmp_path_factory.mktemp("keys") / "public.pem"
    pem.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return server.new_app("python assertions", public_key=pem)


def jwt_client(server, app, key, **subject) -> BoxClient:
    config = JWTConfig(
        client_id=app.client_id,
        client_secret=app.client_secret,
        jwt_key_id=app.public_key_id or "",
        private_key=encrypted_pem(key),
        private_key_passphrase=PASSPHRASE,
        **subject,
    )
    return BoxClient(auth=BoxJWTAuth(config), network_session=server.network_session())


def test_developer_token_is_its_user(client, login):
    me = well_typed(client.users.get_user_me())
    assert me.login == login
    assert me.type == "user"


def test_client_credentials_for_the_enterprise_act_as_the_service_account(server, app):
    client = server.client_of_app(app, enterprise_id=app.enterprise_id)
    me = well_typed(client.users.get_user_me(fields=["login", "name", "enterprise"]))
    if app.service_account_user_id is not None:
        assert me.id == app.service_account_user_id
    assert me.enterprise.id == app.enterprise_id
    folder = new_folder(client, "0", "kept by the service account")
    content = b"by client credentials"
    assert download(client, upload(client, folder.id, "note.txt", content).id) == content


def test_client_credentials_for_a_user_act_as_that_user(server, app, client):
    me = client.users.get_user_me()
    acting = server.client_of_app(app, user_id=me.id)
    assert acting.users.get_user_me().id == me.id


def test_users_do_not_see_each_others_content(server, client, folder):
    other = server.client(server.token(server.new_login("stranger")))
    assert folder.name not in names_in(other, "0")
    with refused(404, "not_found"):
        other.folders.get_folder_by_id(folder.id)
    with refused(404, "not_found"):
        other.folders.delete_folder_by_id(folder.id, recursive=True)
    with refused(404):
        new_folder(other, folder.id, "not mine")


def oauth_refused(call, *errors):
    with pytest.raises(BoxAPIError) as caught:
        call()
    info = caught.value.response_info
    assert info.status_code == 400, info.raw_body
    assert info.body["error"] in errors, info.raw_body
    assert info.body["error_description"], info.raw_body


def test_a_wrong_secret_gives_no_token(server, app):
    wrong = type(app)(**{**vars(app), "client_secret": "wrong"})
    client = server.client_of_app(wrong, enterprise_id=app.enterprise_id)
    oauth_refused(client.users.get_user_me, "invalid_client")


def test_an_unknown_subject_gives_no_token(server, app):
    client = server.client_of_app(app, user_id="999999999999")
    oauth_refused(client.users.get_user_me, "invalid_grant", "unauthorized_client")


def test_assertion_for_the_enterprise(server, signing_app, key):
    client = jwt_client(server, signing_app, key, enterprise_id=signing_app.enterprise_id)
    me = well_typed(client.users.get_user_me())
    if signing_app.service_account_user_id is not None:
        assert me.id == signing_app.service_account_user_id


def test_assertion_for_a_user(server, signing_app, key, client):
    me = client.users.get_user_me()
    acting = jwt_client(server, signing_app, key, user_id=me.id)
    assert acting.users.get_user_me().id == me.id


def test_assertion_from_the_settings_file_that_an_administrator_downloads(server, signing_app, key):
    settings = {
        "boxAppSettings": {
            "clientID": signing_app.client_id,
            "clientSecret": signing_app.client_secret,
            "appAuth": {
                "publicKeyID": signing_app.public_key_id or "",
                "privateKey": encrypted_pem(key),
                "passphrase": PASSPHRASE,
            },
        },
        "enterpriseID": signing_app.enterprise_id,
    }
    config = JWTConfig.from_config_json_string(json.dumps(settings))
    client = BoxClient(auth=BoxJWTAuth(config), network_session=server.network_session())
    assert client.users.get_user_me().type == "user"


def test_assertion_signed_by_another_key_gives_no_token(server, signing_app):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = jwt_client(server, signing_app, stranger, enterprise_id=signing_app.enterprise_id)
    oauth_refused(client.users.get_user_me, "invalid_grant", "invalid_client")


def test_a_revoked_token_is_refused(server, app):
    client = server.client_of_app(app, enterprise_id=app.enterprise_id)
    client.users.get_user_me()
    revoked = client.auth.token_storage.get().access_token
    client.auth.revoke_token(network_session=client.network_session)
    with refused(401):
        server.client(revoked).users.get_user_me()


def test_a_client_whose_token_was_revoked_asks_for_another_one(server, app):
    client = server.client_of_app(app, attempts=3, enterprise_id=app.enterprise_id)
    before = client.users.get_user_me().id
    stale = client.auth.token_storage.get()
    client.auth.revoke_token(network_session=client.network_session)
    client.auth.token_storage.store(stale)
    assert client.users.get_user_me().id == before
    assert client.auth.token_storage.get().access_token != stale.access_token


def test_a_made_up_token_is_refused(server):
    with refused(401):
        server.client("made-up").users.get_user_me()


def test_uploads_need_a_token_too(server, folder):
    with refused(401):
        upload(server.client("made-up"), folder.id, "x.txt", b"x")


def test_a_token_is_kept_by_the_sdk_between_calls(server, app):
    client = server.client_of_app(app, enterprise_id=app.enterprise_id)
    client.users.get_user_me()
    first = client.auth.token_storage.get().access_token
    client.folders.get_folder_items("0")
    assert client.auth.token_storage.get().access_token == first
