"""The training part of the pipeline: one Trainer, or several where training goes in rounds.

    BaseModel        the model in service: training.warm_start
        |
    FirstTrainer --> HardNegativeMiner --> Trainer        training.hard_negatives
        '------------ base_model -----------^

Each further round of mining has its own miner and trainer, HardNegativeMiner2 and Trainer2 first.
"""

from tfx import types
from tfx.dsl.components.base import base_node

from components.hard_negatives.component import HardNegativeMiner
from components.trainer.component import Trainer
from kws.training.params import TrainingParams
from pipeline.config import Config
from pipeline.history import History
from pipeline.paths import Paths


def trainers(
    config: Config,
    paths: Paths,
    history: History,
    features: types.BaseChannel,
    streams: types.BaseChannel,
    hyperparameters: types.BaseChannel | None = None,
    speech_embedding: types.BaseChannel | None = None,
    replay: types.BaseChannel | None = None,
) -> list[base_node.BaseNode]:
    """The nodes of the training, the Trainer whose model goes on being the last.

    Args:
      config: with a model.
      paths: where checkpoints go.
      history: gives the model to start from.
      features: feature examples.
      streams: of AudioSynthesizer.
      hyperparameters: of the Tuner, for every Trainer.
      speech_embedding: of the same clips, where the training asks for it.
      replay: feature examples of the run that this one goes on from.
    """
    assert config.model is not None
    mining, model, keywords = config.training.hard_negatives, config.model, list(config.keywords)
    stopping = config.training.early_stopping
    last = _settings(config.training, first=mining is None)
    nodes: list[base_node.BaseNode] = []
    base = None
    if config.training.warm_start:
        found = history.base_model(features, model, last)
        nodes += found.nodes
        base = found.channel

    rounds = mining.rounds if mining is not None else 0
    mined: list[types.BaseChannel] = []
    for number in range(rounds + 1):
        trained = Trainer(
            examples=features,
            more_examples=mined,
            model=model,
            training=_settings(config.training, first=number == 0),
            keywords=keywords,
            # Apart, so that none deletes what another may still resume from.
            checkpoints=paths.checkpoints / _trainer_id(number, rounds)
            if number < rounds
            else paths.checkpoints,
            base_model=base,
            hyperparameters=hyperparameters,
            streams=streams if stopping and stopping.hears_streams else None,
            speech_embedding=speech_embedding,
            replay=replay,
        ).with_id(_trainer_id(number, rounds))
        nodes.append(trained)
        if mining is None or number == rounds:
            break
        miner = HardNegativeMiner(
            model=trained.outputs["model"],
            streams=streams,
            detector=config.streaming.detector.model_copy(
                update={"detection_threshold": mining.threshold}
            ),
            match=config.streaming.match,
            max_examples=mining.max_examples,
        ).with_id("HardNegativeMiner" + (str(number + 1) if number else ""))
        nodes.append(miner)
        base = trained.outputs["model"]
        mined.append(miner.outputs["examples"])
    return nodes


def _trainer_id(number: int, rounds: int) -> str:
    """`Trainer` for the last, whichever it is: the one that all readers of a run look for."""
    if number == rounds:
        return "Trainer"
    return "FirstTrainer" if number == 0 else f"Trainer{number + 1}"


def _settings(training: TrainingParams, first: bool) -> TrainingParams:
    """Of the first Trainer, or of those after it.

    The first knows nothing of mining: other thresholds or numbers of rounds do not train it again.
    """
    mining = training.hard_negatives
    if mining is None:
        return training
    if first:
        return training.model_copy(update={"hard_negatives": None})
    changed = {
        "epochs": mining.epochs or training.epochs,
        "learning_rate": mining.learning_rate or training.learning_rate,
    }
    return training.model_copy(update=changed)
