// Rule "consecutive": a keyword fires once it has reached the threshold in KWS_MINIMUM_COUNT outputs
// in a row, unless another fired of late. Its score is the lowest of these outputs; of several
// keywords the one with the highest score fires.
class KwsDetector {
 public:
  // Takes the outputs of one run, every KWS_CLIP_STRIDE_MS; returns the keyword that fires now, an
  // index into kKwsLabels, with its score, or -1.
  int Step(const int8_t* outputs, int zero_point, float scale, float* score) {
    for (int label = 0; label < KWS_LABEL_COUNT; ++label) rows_[next_][label] = outputs[label];
    next_ = (next_ + 1) % KWS_MINIMUM_COUNT;
    if (count_ < KWS_MINIMUM_COUNT) ++count_;
    if (since_ms_ < KWS_SUPPRESSION_MS) since_ms_ += KWS_CLIP_STRIDE_MS;
    int best = -1;
    int best_lowest = 0;
    for (int label = KWS_FIRST_KEYWORD; label < KWS_LABEL_COUNT; ++label) {
      int lowest = rows_[0][label];
      for (int row = 1; row < count_; ++row) {
        if (rows_[row][label] < lowest) lowest = rows_[row][label];
      }
      if (best < 0 || lowest > best_lowest) {
        best = label;
        best_lowest = lowest;
      }
    }
    const double posterior = (best_lowest - zero_point) * static_cast<double>(scale);
    if (count_ < KWS_MINIMUM_COUNT || posterior < KWS_DETECTION_THRESHOLD) return -1;
    if (since_ms_ < KWS_SUPPRESSION_MS) return -1;
    since_ms_ = 0;
    *score = static_cast<float>(posterior);
    return best;
  }

 private:
  int8_t rows_[KWS_MINIMUM_COUNT][KWS_LABEL_COUNT] = {};
  int next_ = 0;
  int count_ = 0;
  int32_t since_ms_ = KWS_SUPPRESSION_MS;
};
