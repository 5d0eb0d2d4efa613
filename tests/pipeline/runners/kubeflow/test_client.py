"""Uploading, running and scheduling may be repeated, and what goes wrong is said in a sentence."""

import base64
import json
import socket
import subprocess

import pytest
import yaml

from kws.errors import KwsError
from pipeline.cli import main
from pipeline.runners.kubeflow.client import Kubeflow, check_cron, parameters_of
from pipeline.runners.kubeflow.errors import Access
from tests.pipeline.kfp_server import serving

NIGHTLY, HOURLY = "0 0 3 * * *", "0 0 * * * *"


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def kubeflow(server):
    return connected(server)


def connected(server, namespace=None, **access):
    return Kubeflow(Access(host=server.url, **access), namespace)


def compiled(folder, name="words", epochs=18):
    """A file with all that the client reads of one; what is compiled has tests of its own."""
    parameters = {
        "epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": epochs},
        "max_miss_rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.4},
        "data": {"parameterType": "STRING", "defaultValue": "gs://b/d"},
    }
    spec = {
        "defaultPipelineRoot": "minio://bucket/kws",
        "pipelineInfo": {"name": name},
        "root": {"inputDefinitions": {"parameters": parameters}},
        "schemaVersion": "2.1.0",
    }
    file = folder / "kws.yaml"
    file.write_text(yaml.safe_dump(spec))
    return file


def test_an_upload_makes_the_pipeline_and_a_version_named_by_the_file_s_digest(
    server, kubeflow, tmp_path
):
    file = compiled(tmp_path)
    version = kubeflow.upload(file)
    assert version.new and version.name.startswith("words-")
    (created,) = server.sent("POST", "/pipelines")
    assert created.body == {"display_name": "words"}
    (sent,) = server.sent("POST", "/pipelines/upload_version")
    assert sent.query == {"name": version.name, "pipelineid": version.pipeline_id}
    assert file.read_bytes() in sent.body


def test_the_same_file_is_uploaded_once_and_another_is_another_version(server, kubeflow, tmp_path):
    first, again = (kubeflow.upload(compiled(tmp_path)) for _ in range(2))
    assert (again.version_id, again.new) == (first.version_id, False)
    other = kubeflow.upload(compiled(tmp_path, epochs=30))
    assert other.new and other.pipeline_id == first.pipeline_id
    assert len(server.pipelines) == 1 and len(server.versions) == 2


def test_a_run_names_the_version_the_experiment_and_the_parameters(server, kubeflow, tmp_path):
    kubeflow.run(compiled(tmp_path), {"epochs": 3}, service_account="trainer")
    kubeflow.run(compiled(tmp_path), {})
    (version,), (experiment,) = server.versions.values(), server.experiments
    first, second = server.sent("POST", "/runs")
    assert first.body == {
        "display_name": version["display_name"],
        "experiment_id": experiment,
        "pipeline_version_reference": {
            "pipeline_id": version["pipeline_id"],
            "pipeline_version_id": version["pipeline_version_id"],
        },
        "runtime_config": {"parameters": {"epochs": 3}, "pipeline_root": "minio://bucket/kws"},
        "service_account": "trainer",
    }
    assert second.body["runtime_config"] == {
        "parameters": {},
        "pipeline_root": "minio://bucket/kws",
    }


def test_a_schedule_does_not_overlap_and_does_not_catch_up(server, kubeflow, tmp_path):
    made, changed = kubeflow.schedule(compiled(tmp_path), NIGHTLY, {"max_miss_rate": 0.2})
    assert changed and made.enabled
    (version,), (experiment,) = server.versions.values(), server.experiments
    (sent,) = server.sent("POST", "/recurringruns")
    assert sent.body == {
        "display_name": "words",
        "experiment_id": experiment,
        "max_concurrency": 1,
        "mode": "ENABLE",
        "no_catchup": True,
        "pipeline_version_reference": {
            "pipeline_id": version["pipeline_id"],
            "pipeline_version_id": version["pipeline_version_id"],
        },
        "runtime_config": {
            "parameters": {"max_miss_rate": 0.2},
            "pipeline_root": "minio://bucket/kws",
        },
        "trigger": {"cron_schedule": {"cron": NIGHTLY}},
    }


def test_the_same_schedule_again_changes_nothing(server, kubeflow, tmp_path):
    first, _ = kubeflow.schedule(compiled(tmp_path), NIGHTLY, {"epochs": 3})
    again, changed = kubeflow.schedule(compiled(tmp_path), NIGHTLY, {"epochs": 3})
    assert again == first and not changed
    assert len(server.sent("POST", "/recurringruns")) == 1


def test_another_service_account_is_a_change_and_none_given_is_not(server, kubeflow, tmp_path):
    file = compiled(tmp_path)
    kubeflow.schedule(file, NIGHTLY, {}, service_account="a")
    assert not kubeflow.schedule(file, NIGHTLY, {})[1]
    assert kubeflow.schedule(file, NIGHTLY, {}, service_account="b")[1]
    assert [one["service_account"] for one in server.recurring.values()] == ["b"]


@pytest.mark.parametrize(
    "cron, parameters, epochs", [(HOURLY, {}, 18), (NIGHTLY, {"epochs": 3}, 18), (NIGHTLY, {}, 30)]
)
def test_a_changed_schedule_replaces_the_one_before_which_goes_last(
    server, kubeflow, tmp_path, cron, parameters, epochs
):
    before, _ = kubeflow.schedule(compiled(tmp_path), NIGHTLY, {})
    after, changed = kubeflow.schedule(compiled(tmp_path, epochs=epochs), cron, parameters)
    assert changed and list(server.recurring) == [after.schedule_id]
    last = server.requests[-1]
    assert (last.method, last.path.split("/")[-1]) == ("DELETE", before.schedule_id)


def test_schedules_of_other_names_stay_and_all_pages_are_read(server, kubeflow, tmp_path):
    file = compiled(tmp_path)
    for name in ("a", "b", "c", "d", "e"):
        kubeflow.schedule(file, NIGHTLY, {}, name=name)
    kubeflow.schedule(file, HOURLY, {}, name="e")
    assert [(one.name, one.cron) for one in kubeflow.schedules()] == [
        *((name, NIGHTLY) for name in "abcd"),
        ("e", HOURLY),
    ]


def test_a_schedule_is_paused_resumed_and_deleted_and_each_may_be_said_twice(
    server, kubeflow, tmp_path
):
    kubeflow.schedule(compiled(tmp_path), NIGHTLY, {})
    assert [kubeflow.pause("words"), kubeflow.pause("words")] == [1, 0]
    assert [one.enabled for one in kubeflow.schedules()] == [False]
    assert [kubeflow.pause("words", resume=True), kubeflow.pause("words", resume=True)] == [1, 0]
    assert [one.enabled for one in kubeflow.schedules()] == [True]
    assert [kubeflow.delete("words"), kubeflow.delete("words")] == [1, 0]
    assert server.recurring == {}


def test_pausing_what_is_not_there_says_what_is(kubeflow, tmp_path):
    kubeflow.schedule(compiled(tmp_path), NIGHTLY, {})
    with pytest.raises(KwsError, match="no schedule 'wurds'") as error:
        kubeflow.pause("wurds")
    assert error.value.hint == "it has words"


def test_where_nobody_answers_it_is_said_how_to_reach_it():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(KwsError, match="no Kubeflow Pipelines answers") as error:
        Kubeflow(Access(host=url))
    assert "--host" in error.value.hint


@pytest.mark.parametrize("status", [401, 403])
def test_no_permission_is_said_with_the_server_s_reason(server, status):
    server.refuse["/healthz"] = (status, "who are you")
    with pytest.raises(KwsError, match=rf"no permission .*\({status}\): who are you") as error:
        connected(server)
    assert "KWS_KUBEFLOW_TOKEN" in error.value.hint


def test_no_permission_for_one_thing_is_said_too(server, kubeflow, tmp_path):
    server.refuse["/recurringruns"] = (403, "User cannot create recurringruns")
    with pytest.raises(KwsError, match=r"no permission .*cannot create recurringruns"):
        kubeflow.schedule(compiled(tmp_path), NIGHTLY, {})


def test_a_server_without_this_api_is_too_old(server):
    server.refuse["/healthz"] = (404, "Not Found")
    with pytest.raises(KwsError, match="404") as error:
        connected(server)
    assert "Kubeflow Pipelines 2.0" in error.value.hint


def test_a_refusal_has_the_server_s_own_words(server, kubeflow, tmp_path):
    server.refuse["/runs"] = (400, "Invalid input error: unknown pipeline spec format")
    with pytest.raises(KwsError, match="unknown pipeline spec format"):
        kubeflow.run(compiled(tmp_path), {})


def test_the_token_is_sent_and_never_shown(server):
    connected(server, token="secret-token").schedules()
    sent = [request.headers.get("authorization") for request in server.requests]
    assert len(sent) > 2 and set(sent) == {"Bearer secret-token"}
    server.refuse["/"] = (403, "no")
    with pytest.raises(KwsError) as error:
        connected(server, token="secret-token")
    assert "secret-token" not in str(error.value)


def test_an_upload_that_is_refused_has_the_server_s_own_words(server, kubeflow, tmp_path):
    server.refuse["/pipelines/upload_version"] = (400, "Failed to create a pipeline version")
    with pytest.raises(KwsError, match=r"\(400\): Failed to create a pipeline version$"):
        kubeflow.upload(compiled(tmp_path))


def test_a_namespace_that_is_missing_is_asked_for(server, tmp_path):
    server.multi_user = True
    with pytest.raises(KwsError, match="empty namespace in multi-user mode") as error:
        connected(server).schedules()
    assert "--namespace" in error.value.hint
    assert connected(server, "team").schedules() == []


def test_a_login_by_a_browser_is_a_cookie(server):
    server.cookie = "oauth2_proxy_kubeflow=abc"
    with pytest.raises(KwsError, match=r"asks for a login \(302\)") as error:
        connected(server)
    assert "KWS_KUBEFLOW_COOKIE" in error.value.hint
    assert connected(server, cookie=server.cookie).schedules() == []


def token_for(*audiences):
    def part(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part({'aud': list(audiences)})}.signature"


def test_a_token_is_for_the_pipelines_or_its_audience_is_said(server):
    server.audience = "pipelines.kubeflow.org"
    token = token_for("pipelines.kubeflow.org")
    assert connected(server, token=token).schedules() == []
    with pytest.raises(KwsError, match="no permission") as error:
        connected(server, token=token_for("https://kubernetes.default.svc"))
    assert "is for https://kubernetes.default.svc" in error.value.hint
    assert "--audience=pipelines.kubeflow.org" in error.value.hint


def test_certificates_of_a_cluster_are_trusted_if_they_are_given(tmp_path):
    file = tmp_path / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", file, "-out",
         tmp_path / "ca.pem", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
         "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + (tmp_path / "ca.pem").read_text())
    with serving(file) as server:
        with pytest.raises(KwsError, match="no Kubeflow Pipelines answers") as error:
            connected(server)
        assert "--ca-cert" in error.value.hint
        assert connected(server, ca_cert=tmp_path / "ca.pem").schedules() == []


def with_metadata(server):
    """A run as the server of 2.x tells it: nodes of Argo's workflow, all of them on one level."""

    def node(name, state, *children, minute=0):
        below = [{"pod_name": child} for child in children]
        end = f"2026-01-01T03:{minute:02}:00Z"
        return {"display_name": name, "state": state, "child_tasks": below, "end_time": end}

    server.logs["words-x7-system-container-impl-3"] = (
        "Traceback\ncomponents.trainer.executor.Executor: no GPU (hint)\n"
    )
    nodes = [
        node("words-x7", "FAILED", "words-x7-1", minute=9),
        node("root", "FAILED", "words-x7-2", minute=9),
        node("AudioExampleGen-driver", "SUCCEEDED"),
        node("AudioExampleGen", "SUCCEEDED", "words-x7-4"),
        node("Trainer-driver", "SUCCEEDED"),
        node("Trainer", "FAILED", "words-x7-3", minute=5),
        node("executor", "FAILED", minute=5),
    ]
    return {"run_details": {"task_details": nodes}}


def without_metadata(server):
    server.logs["trainer-pod"] = "components.trainer.executor.Executor: no GPU (hint)\n"
    return {
        "tasks": [
            {"name": "root", "type": "ROOT", "state": "FAILED"},
            {"name": "AudioExampleGen", "type": "RUNTIME", "state": "SUCCEEDED"},
            {
                "name": "Trainer",
                "type": "RUNTIME",
                "state": "FAILED",
                "pods": [
                    {"name": "driver-pod", "type": "DRIVER"},
                    {"name": "trainer-pod", "type": "EXECUTOR"},
                ],
            },
        ]
    }


@pytest.mark.parametrize("told", [with_metadata, without_metadata])
def test_of_a_run_that_failed_the_task_and_the_reason_are_one_line(
    server, kubeflow, tmp_path, told, capsys
):
    first = kubeflow.run(compiled(tmp_path), {})
    second = kubeflow.run(compiled(tmp_path), {})
    server.runs[first] |= {"state": "FAILED", **told(server)}
    server.runs[second] |= {"state": "SUCCEEDED"}
    assert [(one.run_id, one.state, one.failure) for one in kubeflow.runs()] == [
        (second, "SUCCEEDED", ""),
        (first, "FAILED", "Trainer: no GPU (hint)"),
    ]
    assert kubeflow.log(first)[1].endswith("no GPU (hint)\n")
    with pytest.raises(KwsError, match="has no log of AudioExampleGen"):
        kubeflow.log(first, "AudioExampleGen")
    with pytest.raises(KwsError, match="no task 'Tuner'") as error:
        kubeflow.log(first, "Tuner")
    assert error.value.hint == "--task, one of AudioExampleGen, Trainer"
    with pytest.raises(SystemExit):
        main(["kubeflow", "logs", first, "--host", server.url])
    assert "no GPU" in capsys.readouterr().out


@pytest.mark.parametrize("cron", ["0 3 * * *", "", "every night", "0 0 3 * * * *", "0 0 3 $ * *"])
def test_a_cron_expression_without_seconds_is_refused(cron):
    with pytest.raises(KwsError, match="six fields"):
        check_cron(cron)


def test_parameters_have_the_pipeline_s_types_and_no_other_names(tmp_path):
    file = compiled(tmp_path)
    given = parameters_of(file, ["epochs=3", "max_miss_rate=0.1", "data=gs://b/a=b"])
    assert given == {"epochs": 3, "max_miss_rate": 0.1, "data": "gs://b/a=b"}
    with pytest.raises(KwsError, match="no parameter 'epoch'"):
        parameters_of(file, ["epoch=3"])
    with pytest.raises(KwsError, match="'many' is no NUMBER_INTEGER"):
        parameters_of(file, ["epochs=many"])
    with pytest.raises(KwsError, match="name=value"):
        parameters_of(file, ["epochs"])


def test_the_commands_do_what_they_say(server, tmp_path, capsys):
    file = str(compiled(tmp_path))

    def kws(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["kubeflow", *arguments, "--host", server.url])
        assert not ended.value.code
        return capsys.readouterr().out

    assert "uploaded" in kws("upload", file)
    assert "was there already" in kws("upload", file)
    assert "started" in kws("run", file, "-p", "epochs=2")
    (sent,) = server.sent("POST", "/runs")
    assert sent.body["runtime_config"]["parameters"] == {"epochs": 2}
    assert "scheduled" in kws("schedule", file, "--cron", NIGHTLY)
    assert "was so already" in kws("schedule", file, "--cron", NIGHTLY)
    assert f"words  {NIGHTLY}  on" in kws("list")
    assert "words: paused" in kws("pause", "words")
    assert "was paused already" in kws("pause", "words")
    assert "words: on" in kws("pause", "words", "--resume")
    assert "words: deleted" in kws("delete", "words")
    assert "there is none" in kws("delete", "words")
    assert "no schedules" in kws("list")


def test_without_a_host_nothing_is_guessed(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["kubeflow", "list"])
    assert ended.value.code == 1
    assert "no host" in capsys.readouterr().err
