// Rule "sliding_mean" (microWakeWord): the keyword with the highest mean over the last
// KWS_AVERAGE_ROWS outputs fires if it is over the threshold and no other fired of late; what was
// heard before a detection counts as zeros after it. Sums are whole numbers and the mean a double,
// so that it fires just where the evaluation did.
class KwsDetector {
 public:
  // Takes the outputs of one run, every KWS_CLIP_STRIDE_MS; returns the keyword that fires now, an
  // index into kKwsLabels, with its score, or -1.
  int Step(const int8_t* outputs, int zero_point, float scale, float* score) {
    for (int label = 0; label < KWS_LABEL_COUNT; ++label) {
      rows_[next_][label] = static_cast<int16_t>(outputs[label] - zero_point);
    }
    next_ = (next_ + 1) % KWS_AVERAGE_ROWS;
    if (since_ms_ < KWS_SUPPRESSION_MS) since_ms_ += KWS_CLIP_STRIDE_MS;
    if (since_ms_ < KWS_SUPPRESSION_MS) return -1;
    int best = -1;
    int32_t best_sum = 0;
    for (int label = KWS_FIRST_KEYWORD; label < KWS_LABEL_COUNT; ++label) {
      int32_t sum = 0;
      for (int row = 0; row < KWS_AVERAGE_ROWS; ++row) sum += rows_[row][label];
      if (best < 0 || sum > best_sum) {
        best = label;
        best_sum = sum;
      }
    }
    const double mean = best_sum * static_cast<double>(scale) / KWS_AVERAGE_ROWS;
    if (!(mean > KWS_DETECTION_THRESHOLD)) return -1;
    since_ms_ = 0;
    for (int row = 0; row < KWS_AVERAGE_ROWS; ++row) {
      for (int label = 0; label < KWS_LABEL_COUNT; ++label) rows_[row][label] = 0;
    }
    *score = static_cast<float>(mean);
    return best;
  }

 private:
  int16_t rows_[KWS_AVERAGE_ROWS][KWS_LABEL_COUNT] = {};
  int next_ = 0;
  int32_t since_ms_ = KWS_SUPPRESSION_MS;
};
