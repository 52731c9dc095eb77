"""What the stock front-end asks of the console's API (contract client.md §3)."""

ORIGIN = {"Origin": "http://pages.example"}


def test_the_features_are_those_of_the_web_api(client):
    answer = client.get("/console/api/system-features", headers=ORIGIN)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.get_json() == client.get("/api/system-features").get_json()
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]


def test_the_installation_is_always_set_up(client):
    answer = client.get("/console/api/setup", headers=ORIGIN)
    assert answer.get_json() == {"step": "finished", "setup_at": None}
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_the_document_does_not_name_them(client):
    assert "console" not in client.get("/api/swagger.json").get_data(as_text=True)
