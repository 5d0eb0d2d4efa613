// Rule "steps" (trigger word): the keyword with the highest output fires if it reaches the
// threshold and no other fired in the KWS_STEPS_BETWEEN runs before.
class KwsDetector {
 public:
  // Takes the outputs of one run, every KWS_CLIP_STRIDE_MS; returns the keyword that fires now, an
  // index into kKwsLabels, with its score, or -1.
  int Step(const int8_t* outputs, int zero_point, float scale, float* score) {
    if (since_ < KWS_STEPS_BETWEEN) ++since_;
    int best = KWS_FIRST_KEYWORD;
    for (int label = best + 1; label < KWS_LABEL_COUNT; ++label) {
      if (outputs[label] > outputs[best]) best = label;
    }
    const double posterior = (outputs[best] - zero_point) * static_cast<double>(scale);
    if (posterior < KWS_DETECTION_THRESHOLD || since_ < KWS_STEPS_BETWEEN) return -1;
    since_ = 0;
    *score = static_cast<float>(posterior);
    return best;
  }

 private:
  int32_t since_ = KWS_STEPS_BETWEEN;
};
