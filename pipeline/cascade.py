"""The first stage of a cascade, looked for before anything runs."""

from kws.errors import KwsError
from kws.features import files
from kws.micro.bundle_folder import bundle_folder
from kws.streaming.cascade_stage import same_frontend
from kws.streaming.params import StreamingParams
from pipeline.config import Config


def streaming_params(config: Config) -> StreamingParams:
    """The section `streaming`, its first stage being the folder of one version.

    A folder of versions would serve another one tomorrow under the same name, and TFX's cache would
    not know.

    Raises:
      KwsError: there is no such bundle, or it was made with another frontend.
    """
    params = config.streaming
    if params.cascade is None:
        return params
    try:
        folder = bundle_folder(params.cascade.first_stage)
        if config.tuning is None or not config.tuning.of_features:
            same_frontend(files.read(folder), config.features)
    except KwsError as error:
        raise KwsError(f"streaming.cascade.first_stage: {error.message}", hint=error.hint) from None
    cascade = params.cascade.model_copy(update={"first_stage": str(folder.resolve())})
    return params.model_copy(update={"cascade": cascade})
