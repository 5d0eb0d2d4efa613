"""What looks like a credential is refused, by its place and without its value."""

import json
import logging

import pytest

from kws import credentials
from kws.errors import KwsError

# Put together here, so that no scanner of repositories takes this file for a leak.
AWS = "AKIA" + "ABCDEFGH23456789"
GITHUB = "ghp" + "_" + "a1B2" * 9
JWT = ".".join(("eyJ" + "hbGciOiJIUzI1NiJ9", "eyJ" + "zdWIiOiIxMjM0In0", "c2lnbmF0dXJl"))
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    "value, kind",
    [
        ("s3://user:hunter2@bucket/words", "a user and password in a URL"),
        ("mysql://kws:hunter2@db.example/metadata", "a user and password in a URL"),
        ("https://host/words.zip?X-Amz-Signature=0a1b", "a signed or secret URL"),
        ("https://host/words.zip?version=2&access_token=0a1b", "a signed or secret URL"),
        ("https://s3cr3t@host/words.zip", "a user or token in a URL"),
        ("https://host/words.zip?key=s3cr3t", "a signed or secret URL"),
        ("https://host/words.zip?v=1&x-api-key=s3cr3t", "a signed or secret URL"),
        (f"gs://bucket/{AWS}", "an access key of AWS"),
        (GITHUB, "an access token"),
        (f"Bearer {JWT}", "an access token"),
        (PEM, "a private key"),
        ("--s3_secret_access_key=hunter2", "a credential as an option"),
        ("--s3_access_key_id=hunter2", "a credential as an option"),
    ],
)
def test_a_value_that_looks_like_one_is_refused_and_not_repeated(value, kind):
    with pytest.raises(KwsError) as error:
        credentials.check({"data": {"sources": [{"path": value}]}}, "mine.yaml")
    assert error.value.message == f"mine.yaml: data.sources[0].path looks like {kind}"
    assert value not in str(error.value) and "service account" in error.value.hint


@pytest.mark.parametrize(
    "key", ["password", "token", "api_key", "s3.secret_access_key", "dbPasswd"]
)
def test_a_key_that_is_called_like_one_is_refused(key):
    with pytest.raises(KwsError, match="a credential by its name"):
        credentials.check({"model": {"options": {key.replace("dbP", "db_p"): "x1y2"}}}, "mine.yaml")


def test_an_option_of_the_command_line_is_its_own_place():
    with pytest.raises(KwsError, match=r"^--data looks like a user and password in a URL"):
        credentials.check("https://me:secret@host/words", "--data")


@pytest.mark.parametrize(
    "values",
    [
        {"keywords": ["token", "password", "secret"], "name": "token"},
        {"ingest": {"speaker_salt_env": "KWS_SALT"}, "metadata": {"password_env": "KWS_PASSWORD"}},
        {"data": {"path": "gs://bucket/a:b@c", "url": "https://host:8080/a@b?version=3"}},
        {"data": {"sources": [{"positives": {"password": "recordings/password"}}]}},
        {"password": "", "token": None, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b82"},
        {"beam_pipeline_args": ["--service_account_email=a@b.example", "--temp_location=gs://b/t"]},
    ],
)
def test_what_only_sounds_like_one_passes(values):
    credentials.check(values, "mine.yaml")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://s3cr3t@host/a.zip: no answer", "https://…@host/a.zip: no answer"),
        ("(s3://me:s3cr3t@host/a)", "(s3://…@host/a)"),
        ("https:/s3cr3t@host/a does not exist", "https:/…@host/a does not exist"),
        ("'https://h/a?v=2&key=s3cr3t&w=1' is", "'https://h/a?v=2&key=…&w=1' is"),
        ("https://h/a?X-Amz-Signature=s3cr3t#x", "https://h/a?X-Amz-Signature=…#x"),
        (f"https://h/a?access_token=s3cr3t {GITHUB}", "https://h/a?access_token=… …"),
        (f"the bucket of {AWS}", "the bucket of …"),
        ("https://host:8080/a@b?version=3 at 12:30", "https://host:8080/a@b?version=3 at 12:30"),
        ("me@example.org, key=value, a/b?c", "me@example.org, key=value, a/b?c"),
    ],
)
def test_a_message_is_told_without_the_credential_in_it(text, shown):
    assert credentials.redacted(text) == shown
    error = KwsError(text, hint=text)
    assert (error.message, error.hint) == (shown, shown) and str(error) == f"{shown} ({shown})"


def test_neither_the_log_nor_the_terminal_nor_the_lineage_has_it(tmp_path, capsys):
    from kws.terminal import Terminal
    from pipeline import config
    from pipeline.runners.terminal_progress import log_file

    url = "https://s3cr3t@host/words.zip?key=s3cr3t"
    with log_file(tmp_path) as log:
        logging.getLogger("urllib3").warning("GET %s", url)
    Terminal(width=200).print(url)
    made = config.load("quickstart").model_copy(update={"name": url, "keywords": (url,)})
    told = [log.read_text(), capsys.readouterr().out, json.dumps(config.of_result(made))]
    assert all("host/words.zip" in text and "s3cr3t" not in text for text in told)
