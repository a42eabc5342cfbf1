"""How Emarsys is asked for a token: the credentials are shown by HTTP Basic, and go nowhere else."""

import base64

import httpx

from tests.destinations.conftest import connect

URL = "https://api.emarsys.net/api/v3/field/translate/en"
SHOWN = "Basic " + base64.b64encode(b"app:s3cr3t").decode()


def said(flow, *answers):
    """Address, authorization and body of each request that leaves, against these answers."""
    steps = flow.sync_auth_flow(httpx.Request("GET", URL))
    request = next(steps)
    seen = [(str(request.url), request.headers["authorization"], request.content)]
    for status, body in answers:
        try:
            request = steps.send(httpx.Response(status, json=body, request=request))
        except StopIteration:
            break
        seen.append((str(request.url), request.headers["authorization"], request.content))
    return seen


def test_the_credentials_are_shown_for_a_token_and_the_token_for_everything_else(monkeypatch):
    monkeypatch.setenv("DESTINATION_CANARY", "s3cr3t")
    flow = connect("emarsys").auth()
    ask = ("https://auth.emarsys.net/oauth2/token", SHOWN, b"grant_type=client_credentials")

    assert flow.origins == ("https://auth.emarsys.net",)
    assert said(flow, (200, {"access_token": "t1"}), (200, {})) == [ask, (URL, "Bearer t1", b"")]
    assert said(flow, (401, {}), (200, {"access_token": "t2"}), (200, {})) == [
        (URL, "Bearer t1", b""),
        ask,
        (URL, "Bearer t2", b""),
    ]
