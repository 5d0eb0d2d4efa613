// Rule "average" (RecognizeCommands): the keyword with the highest mean over the last
// KWS_AVERAGE_ROWS outputs fires if it reaches the threshold and no other fired of late. Sums are
// whole numbers and the mean a double, so that it fires just where the evaluation did.
class KwsDetector {
 public:
  // Takes the outputs of one run, every KWS_CLIP_STRIDE_MS; returns the keyword that fires now, an
  // index into kKwsLabels, with its score, or -1.
  int Step(const int8_t* outputs, int zero_point, float scale, float* score) {
    for (int label = 0; label < KWS_LABEL_COUNT; ++label) {
      rows_[next_][label] = static_cast<int16_t>(outputs[label] - zero_point);
    }
    next_ = (next_ + 1) % KWS_AVERAGE_ROWS;
    if (count_ < KWS_AVERAGE_ROWS) ++count_;
    if (since_ms_ < KWS_SUPPRESSION_MS) since_ms_ += KWS_CLIP_STRIDE_MS;
    int best = -1;
    double best_mean = 0;
    for (int label = KWS_FIRST_KEYWORD; label < KWS_LABEL_COUNT; ++label) {
      int32_t sum = 0;
      for (int row = 0; row < count_; ++row) sum += rows_[row][label];
      const double mean = sum * static_cast<double>(scale) / count_;
      if (mean < KWS_DETECTION_THRESHOLD) fired_[label] = false;
      if (best < 0 || mean > best_mean) {
        best = label;
        best_mean = mean;
      }
    }
    if (count_ < KWS_MINIMUM_COUNT || best_mean < KWS_DETECTION_THRESHOLD) return -1;
    if (since_ms_ < KWS_SUPPRESSION_MS || (KWS_REARM && fired_[best])) return -1;
    since_ms_ = 0;
    fired_[best] = true;
    *score = static_cast<float>(best_mean);
    return best;
  }

 private:
  int16_t rows_[KWS_AVERAGE_ROWS][KWS_LABEL_COUNT] = {};
  bool fired_[KWS_LABEL_COUNT] = {};  // and has not been below the threshold since
  int next_ = 0;
  int count_ = 0;
  int32_t since_ms_ = KWS_SUPPRESSION_MS;
};
