"""`ops_resolver.h`: a resolver with exactly the operators that the model uses, and no other.

TensorFlow Lite Micro links every operator that is registered; a resolver that lists too few fails
on the device at the first start, one that lists all costs a hundred kilobytes of flash.
"""

import re
from collections.abc import Iterable

from kws.errors import KwsError

_SPELLED_OTHERWISE = {"BATCH_MATMUL": "BatchMatMul", "LSTM": "UnidirectionalSequenceLSTM"}
"""Builtin operators whose `Add...` method does not follow from the name in the schema."""

_HEADER = """\
// {title}
// Registers the {count} operators of model.tflite with TensorFlow Lite Micro.
#ifndef KWS_OPS_RESOLVER_H_
#define KWS_OPS_RESOLVER_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

constexpr unsigned int kKwsOperatorCount = {count};
using KwsOpResolver = tflite::MicroMutableOpResolver<kKwsOperatorCount>;

// Returns kTfLiteOk, or the first error: then TensorFlow Lite Micro is older than the model.
inline TfLiteStatus AddKwsOperators(KwsOpResolver& resolver) {{
{calls}
  return kTfLiteOk;
}}

#endif  // KWS_OPS_RESOLVER_H_
"""


def header(operators: Iterable[str], title: str) -> str:
    """The text of `ops_resolver.h`.

    Args:
      operators: names in the TFLite schema, as `kws.micro.operators.count` gives them.
      title: one line of a comment.

    Raises:
      KwsError: a custom operator, which TensorFlow Lite Micro's builtin resolver cannot know.
    """
    names = sorted(operators)
    calls = [
        f"  if (resolver.{method(name)}() != kTfLiteOk) return kTfLiteError;" for name in names
    ]
    return _HEADER.format(title=" ".join(title.split()), count=len(names), calls="\n".join(calls))


def method(operator: str) -> str:
    """The resolver's method of a builtin operator: `DEPTHWISE_CONV_2D` is `AddDepthwiseConv2D`."""
    if not re.fullmatch("[A-Z0-9_]+", operator) or operator.startswith("BUILTIN_"):
        raise KwsError(
            f"operator {operator} is none of TensorFlow Lite Micro's builtin ones",
            hint="leave it out of budget.operators, so that such a model is refused",
        )
    words = re.split("_", operator)
    camel = "".join(word[0] + word[1:].lower() if word[0].isalpha() else word for word in words)
    return "Add" + _SPELLED_OTHERWISE.get(operator, camel)
