"""Long properties are cut into parts, and come back whole."""

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from ml_metadata.proto import metadata_store_service_pb2 as service

from pipeline import long_texts


def request(**texts):
    execution = mlmd.Execution(type_id=1)
    for name, text in texts.items():
        execution.properties[name].string_value = text
        execution.custom_properties[name].string_value = text[::-1]
    execution.custom_properties["number"].int_value = 7
    return service.PutExecutionsRequest(executions=[execution])


@pytest.mark.parametrize("text", ["", "short", "a" * 2000, "b" * 2001, "字" * 5000])
def test_what_was_cut_comes_back(text):
    sent = request(p=text, q="other")
    before = service.PutExecutionsRequest()
    before.CopyFrom(sent)
    long_texts.cut(sent)
    (execution,) = sent.executions
    stored = [*execution.properties.values(), *execution.custom_properties.values()]
    # PostgreSQL's limit of a row is 2,704 bytes, name and numbers included.
    assert max(len(value.string_value.encode()) for value in stored) < 2100
    long_texts.joined(sent)
    assert sent == before


def test_what_is_short_stays_as_it_is():
    sent = request(p="a" * 2000)
    long_texts.cut(sent)
    assert sent == request(p="a" * 2000)


def test_artifacts_and_contexts_within_other_messages_are_found():
    pair = service.PutExecutionRequest.ArtifactAndEvent()
    pair.artifact.custom_properties["c"].string_value = "x" * 9000
    sent = service.PutExecutionRequest(artifact_event_pairs=[pair], contexts=[mlmd.Context()])
    sent.contexts[0].properties["p"].string_value = "y" * 3000
    long_texts.cut(sent)
    assert len(sent.artifact_event_pairs[0].artifact.custom_properties) == 5
    assert len(sent.contexts[0].custom_properties) == 1
