"""A relying party on Authlib and Flask: login, userinfo, refresh, logout."""

import os
import secrets

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Flask, request, session
from joserfc.errors import JoseError

HERE = f"http://127.0.0.1:{os.environ['PORT']}"

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
kenpos = OAuth(app).register(
    "kenpos",
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    client_kwargs={
        "scope": "openid profile email membership offline_access",
        "code_challenge_method": "S256",
    },
)
members = {}  # sub → tokens: the session is a cookie, and tokens have no place there


def member(claims, tokens):
    """What the library found in the verified ID token, and what userinfo says."""
    return {"claims": dict(claims), "userinfo": dict(kenpos.userinfo(token=tokens))}


@app.get("/login")
def login():
    return kenpos.authorize_redirect(HERE + "/callback")


@app.get("/callback")
def callback():
    tokens = kenpos.authorize_access_token()  # checks state, signature, iss, aud, exp and nonce
    claims = tokens["userinfo"]  # Authlib's name for the claims of the ID token
    session["sub"] = claims["sub"]
    members[claims["sub"]] = tokens
    return member(claims, tokens)


@app.get("/refresh")
def refresh():
    before = members[session["sub"]]["refresh_token"]
    tokens = kenpos.fetch_access_token(grant_type="refresh_token", refresh_token=before)
    claims = kenpos.parse_id_token(tokens, nonce=None)
    members[session["sub"]] = tokens
    return member(claims, tokens) | {"rotated": tokens["refresh_token"] != before}


@app.get("/id_token")
def id_token():
    return {"id_token": members[session["sub"]]["id_token"]}


@app.get("/check")
def check():
    """The claims of another ID token in place of the one that came, if the library takes it."""
    tokens = members[session["sub"]] | {"id_token": request.args["id_token"]}
    return dict(kenpos.parse_id_token(tokens, nonce=None))


@app.get("/logout")
def logout():
    tokens = members.pop(session.pop("sub"))
    return kenpos.logout_redirect(HERE + "/goodbye", id_token_hint=tokens["id_token"])


@app.get("/goodbye")
def goodbye():
    kenpos.validate_logout_response()  # checks state
    return {"goodbye": True}


@app.errorhandler(AuthlibBaseError)
@app.errorhandler(JoseError)
def refused(error):
    return str(error), 400


app.run("127.0.0.1", int(os.environ["PORT"]))
