"""Signing in, as Box's SDK does it: codes, refresh tokens, client credentials, assertions, weaker tokens.

What a browser does in between is done here with plain requests to the pages: their forms are read and sent back.
"""

import html
import json
import re
import subprocess
from types import SimpleNamespace
from urllib.parse import parse_qs, urlparse

import pytest
import requests
from box_sdk_gen import (
    BoxAPIError,
    BoxClient,
    BoxDeveloperTokenAuth,
    BoxOAuth,
    GetAuthorizeUrlOptions,
    OAuthConfig,
)

from kit import names_in, new_folder, refused, upload
from typed import well_typed

BACK = "https://portal.example.org/back"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def person(server):
    """Somebody with a password."""
    login = server.new_login("oauth")
    subprocess.run(
        [server.program, "user", "set-password", "--login", login, "--data", server.data],
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return login


@pytest.fixture(scope="module")
def app(server):
    said = json.loads(server.run("app", "create", "--name", "Portal", "--redirect-uri", BACK, "--json"))
    return SimpleNamespace(**said)


class Browser:
    """Keeps cookies, reads forms, and goes where it is sent as long as that is the server."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.verify = server.ca
        self.session.trust_env = False

    def go(self, url: str, form: dict | None = None) -> requests.Response:
        for _ in range(10):
            if form is None:
                answer = self.session.get(url, allow_redirects=False, timeout=60)
            else:
                answer = self.session.post(url, data=form, allow_redirects=False, timeout=60)
            if answer.status_code not in (302, 303) or not answer.headers["location"].startswith(self.server.origin):
                return answer
            url, form = answer.headers["location"], None
        raise AssertionError(f"sent around in circles: {url}")

    def submit(self, page: requests.Response, **filled: str) -> requests.Response:
        markup = re.search(r'<form method="post" action="([^"]+)">(.*?)</form>', page.text, re.S)
        assert markup, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', markup[2])
        fields = {name: html.unescape(value) for name, value in hidden}
        return self.go(f"{self.server.origin}/oauth2/{markup[1]}", {**fields, **filled})

    def sign_in(self, page: requests.Response, login: str) -> requests.Response:
        return self.submit(page, login=login, password=PASSWORD)


def authorize_url(server, oauth: BoxOAuth, **options) -> str:
    """The SDK's own URL, at this server: the SDK knows Box's host only."""
    url = urlparse(oauth.get_authorize_url(options=GetAuthorizeUrlOptions(**options)))
    assert url.path == "/api/oauth2/authorize"
    return f"{server.url}{url.path}?{url.query}"


def sent_back(answer: requests.Response) -> dict:
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlparse(answer.headers["location"]).query).items()}


def oauth_of(app) -> BoxOAuth:
    return BoxOAuth(OAuthConfig(client_id=app.client_id, client_secret=app.client_secret))


def holding(app, token) -> BoxOAuth:
    oauth = oauth_of(app)
    oauth.token_storage.store(token)
    return oauth


def code_for(server, app, login: str, **options) -> tuple[Browser, dict]:
    browser = Browser(server)
    page = browser.go(authorize_url(server, oauth_of(app), **options))
    consent = browser.sign_in(page, login)
    if consent.status_code == 303:
        return browser, sent_back(consent)
    return browser, sent_back(browser.submit(consent, decision="allow"))


def signed_in(server, app, login: str) -> tuple[BoxOAuth, BoxClient]:
    oauth, session = oauth_of(app), server.network_session()
    _, answer = code_for(server, app, login)
    oauth.get_tokens_authorization_code_grant(answer["code"], network_session=session)
    return oauth, BoxClient(auth=oauth, network_session=session)


def test_a_user_lets_an_app_act_for_them(server, app, person):
    oauth, session = oauth_of(app), server.network_session()
    browser = Browser(server)
    page = browser.go(authorize_url(server, oauth, state="a b&c", redirect_uri=BACK))
    assert "Portal" in page.text
    consent = browser.sign_in(page, person)
    assert person in consent.text
    answer = sent_back(browser.submit(consent, decision="allow"))
    assert answer["state"] == "a b&c"
    assert answer["iss"] == server.origin
    token = oauth.get_tokens_authorization_code_grant(answer["code"], network_session=session)
    assert token.expires_in == 3600
    assert token.refresh_token
    client = BoxClient(auth=oauth, network_session=session)
    assert client.users.get_user_me().login == person
    # The second time, nobody is asked.
    assert "code" in sent_back(browser.go(authorize_url(server, oauth)))


def test_a_code_is_good_once(server, app, person):
    oauth, session = oauth_of(app), server.network_session()
    _, answer = code_for(server, app, person)
    oauth.get_tokens_authorization_code_grant(answer["code"], network_session=session)
    with pytest.raises(BoxAPIError):
        oauth_of(app).get_tokens_authorization_code_grant(answer["code"], network_session=session)
    client = BoxClient(auth=oauth, network_session=session)
    with pytest.raises(BoxAPIError):
        client.users.get_user_me()


def test_tokens_are_refreshed_and_a_second_use_ends_them(server, app, person):
    oauth, client = signed_in(server, app, person)
    session = server.network_session()
    first = oauth.retrieve_token()
    second = oauth.refresh_token(network_session=session)
    assert second.access_token != first.access_token
    assert client.users.get_user_me().login == person
    with pytest.raises(BoxAPIError) as caught:
        holding(app, first).refresh_token(network_session=session)
    assert caught.value.response_info.body["error"] == "invalid_grant"
    with refused(401):
        server.client(second.access_token).users.get_user_me()


def test_a_revoked_token_ends_all_that_came_with_it(server, app, person):
    oauth, _ = signed_in(server, app, person)
    token = oauth.retrieve_token()
    oauth.revoke_token(network_session=server.network_session())
    with refused(401):
        server.client(token.access_token).users.get_user_me()
    with pytest.raises(BoxAPIError):
        holding(app, token).refresh_token(network_session=server.network_session())


def test_nobody_is_sent_where_the_app_is_not(server, app):
    browser = Browser(server)
    page = browser.go(authorize_url(server, oauth_of(app), redirect_uri="https://evil.example.org/"))
    assert page.status_code == 400
    assert "evil" not in page.text


def test_a_weaker_token_renames_and_does_not_delete(server, app, person):
    oauth, client = signed_in(server, app, person)
    inside, outside = new_folder(client, "0", "weaker inside"), new_folder(client, "0", "weaker outside")
    file = upload(client, inside.id, "a.txt", b"a")
    other = upload(client, outside.id, "b.txt", b"b")
    session = server.network_session()
    weak = oauth.downscope_token(
        ["item_rename", "item_preview"], resource=f"https://api.box.com/2.0/folders/{inside.id}", network_session=session
    )
    assert {one.scope.value for one in weak.restricted_to} == {"item_rename", "item_preview"}
    assert weak.restricted_to[0].object.id == inside.id
    limited = BoxClient(auth=BoxDeveloperTokenAuth(token=weak.access_token), network_session=session)
    assert limited.files.update_file_by_id(file.id, name="renamed.txt").name == "renamed.txt"
    assert names_in(limited, inside.id) == ["renamed.txt"]
    with refused(403, "access_denied_insufficient_permissions"):
        limited.files.delete_file_by_id(file.id)
    for hidden in (other.id, "999999999999"):
        with refused(404, "not_found"):
            limited.files.update_file_by_id(hidden, name="renamed.txt")
    with refused(404, "not_found"):
        limited.folders.get_folder_items(outside.id)
    # It dies with what it was made of.
    oauth.revoke_token(network_session=session)
    with refused(401):
        limited.files.get_file_by_id(file.id)


def test_a_weaker_token_of_an_app_itself(server):
    app = server.new_app("python weaker")
    client = server.client_of_app(app, enterprise_id=app.enterprise_id)
    file = upload(client, "0", "weaker.txt", b"x")
    weak = client.auth.downscope_token(
        ["item_preview"], resource=f"https://api.box.com/2.0/files/{file.id}", network_session=server.network_session()
    )
    limited = server.client(weak.access_token)
    assert limited.files.get_file_by_id(file.id).name == "weaker.txt"
    with refused(403):
        limited.files.delete_file_by_id(file.id)
    with pytest.raises(BoxAPIError) as caught:
        client.auth.downscope_token(
            ["item_preview"],
            resource="https://api.box.com/2.0/files/999999999999",
            network_session=server.network_session(),
        )
    assert caught.value.response_info.status_code == 400


def test_an_app_that_is_disabled_is_nobody(server):
    app = server.new_app("python disabled")
    client = server.client_of_app(app, enterprise_id=app.enterprise_id)
    token = client.auth.retrieve_token(network_session=server.network_session()).access_token
    assert server.client(token).users.get_user_me()
    server.run("app", "update", "--app", app.client_id, "--state", "disabled")
    with refused(401):
        server.client(token).users.get_user_me()
    with pytest.raises(BoxAPIError):
        server.client_of_app(app, enterprise_id=app.enterprise_id).users.get_user_me()
    server.run("app", "update", "--app", app.client_id, "--state", "enabled")
    assert server.client(token).users.get_user_me()


def test_an_app_that_may_not_act_as_users(server, login, client):
    user = client.users.get_user_me().id
    app = server.new_app("python not as users")
    own = server.client_of_app(app, enterprise_id=app.enterprise_id)
    assert own.with_as_user_header(user).users.get_user_me().id == user
    server.run("app", "update", "--app", app.client_id, "--as-users", "no")
    with refused(403):
        own.with_as_user_header(user).users.get_user_me()
    with pytest.raises(BoxAPIError):
        server.client_of_app(app, user_id=user).users.get_user_me()
    assert own.users.get_user_me()


def test_the_server_describes_itself(server):
    answer = Browser(server).go(f"{server.origin}/.well-known/oauth-authorization-server").json()
    assert answer["issuer"] == server.origin
    assert answer["token_endpoint"] == f"{server.origin}/oauth2/token"


def test_an_administrator_ends_what_is_let_in_on_a_device(server, app, person):
    robot = server.new_app("device pins")
    administrator = server.client_of_app(robot, enterprise_id=robot.enterprise_id)
    _, answer = code_for(server, app, person)
    # The SDK has no way to say it; apps on devices do.
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "box_device_id": "d-1",
        "box_device_name": "Somebody's phone",
    }
    told = requests.post(f"{server.url}/oauth2/token", data=form, verify=server.ca, timeout=60)
    token = told.json()["access_token"]
    me = server.client(token).users.get_user_me()
    pins = administrator.device_pinners
    found, marker = [], None
    while True:
        page = well_typed(pins.get_enterprise_device_pinners(robot.enterprise_id, limit=1, marker=marker))
        found += page.entries
        marker = page.next_marker and str(page.next_marker)
        if not marker:
            break
    mine = [pin for pin in found if pin.owned_by.id == me.id]
    assert [pin.product_name for pin in mine] == ["Somebody's phone"]
    assert well_typed(pins.get_device_pinner_by_id(mine[0].id)).owned_by.id == me.id
    with refused(403):
        server.client(token).device_pinners.get_device_pinner_by_id(mine[0].id)
    with refused(403):
        server.client(token).device_pinners.delete_device_pinner_by_id(mine[0].id)
    with refused(404):
        pins.get_enterprise_device_pinners("12")
    pins.delete_device_pinner_by_id(mine[0].id)
    with refused(401):
        server.client(token).users.get_user_me()
    for look in (pins.get_device_pinner_by_id, pins.delete_device_pinner_by_id):
        with refused(404):
            look(mine[0].id)
