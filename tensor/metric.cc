// What metrics count on the CPU in one pass over memory, where single operations would each cost a dispatch.
#include "guard.h"

using at::Tensor;
using lighter::guarded;
using lighter::tensor_of;

namespace {

// Calls f with the elements of a contiguous CPU tensor; false when it is none, or of another type.
template <class F> bool with_elements(const Tensor &t, F f) {
  if (!t.is_cpu() || !t.is_contiguous()) return false;
  switch (t.scalar_type()) {
  case at::kFloat: f(t.const_data_ptr<float>()); return true;
  case at::kDouble: f(t.const_data_ptr<double>()); return true;
  case at::kLong: f(t.const_data_ptr<int64_t>()); return true;
  case at::kInt: f(t.const_data_ptr<int32_t>()); return true;
  case at::kByte: f(t.const_data_ptr<uint8_t>()); return true;
  case at::kBool: f(t.const_data_ptr<bool>()); return true;
  default: return false;
  }
}

} // namespace

// Counts the elements that are no whole number from 0 to below n, nor ignored; -1 when that would wait for a device.
int lt_outside(lt_tensor tensor, int64_t n, const int64_t *ignore, int64_t *count) {
  return guarded([&] {
    Tensor t = tensor_of(tensor);
    *count = -1;
    if (!t.is_cpu()) return;
    t = t.contiguous();
    with_elements(t, [&](const auto *p) {
      int64_t bad = 0;
      for (int64_t i = 0; i < t.numel(); i++) {
        auto v = p[i];
        int64_t whole = static_cast<int64_t>(v);
        bool fits = static_cast<decltype(v)>(whole) == v && whole >= 0 && whole < n;
        bad += !fits && !(ignore && static_cast<decltype(v)>(whole) == v && whole == *ignore);
      }
      *count = bad;
    });
  });
}

// The true positives, true negatives, negatives and positives of predictions and targets of one shape: int64 [4], or [labels,
// 4] when the second dimension is the labels'. Predictions above the threshold are 1; those of a floating-point type that
// lie outside 0 to 1 make all of them logits. out stays null when the tensors are not contiguous ones on the CPU.
int lt_binary_counts(lt_tensor predicted, lt_tensor target, int64_t labels, double threshold, const int64_t *ignore,
                     lt_tensor *out) {
  return guarded([&] {
    Tensor p = tensor_of(predicted), t = tensor_of(target);
    *out = nullptr;
    if (!p.is_cpu() || !t.is_cpu() || !p.is_contiguous() || !t.is_contiguous()) return;
    const bool scores = p.is_floating_point();
    bool logits = false;
    if (scores && !with_elements(p, [&](const auto *v) {
          for (int64_t i = 0; i < p.numel() && !logits; i++) logits = !(v[i] >= 0 && v[i] <= 1);
        }))
      return;
    if (logits) p = p.sigmoid();
    const int64_t inner = labels > 0 ? p.numel() / (p.size(0) * labels + (p.size(0) == 0)) : 1;
    Tensor counts = at::zeros(labels > 0 ? std::vector<int64_t>{labels, 4} : std::vector<int64_t>{4}, at::kLong);
    auto *c = counts.mutable_data_ptr<int64_t>();
    bool known = false;
    with_elements(p, [&](const auto *pv) {
      using score = std::decay_t<decltype(*pv)>;
      known = with_elements(t, [&](const auto *tv) {
        for (int64_t i = 0; i < p.numel(); i++) {
          if (ignore && static_cast<double>(tv[i]) == static_cast<double>(*ignore)) continue;
          bool positive = tv[i] == 1, negative = tv[i] == 0;
          bool hit = scores ? (pv[i] > static_cast<score>(threshold) ? positive : negative)
                            : static_cast<double>(pv[i]) == static_cast<double>(tv[i]);
          int64_t *row = labels > 0 ? c + 4 * (i / std::max<int64_t>(inner, 1) % labels) : c;
          row[0] += hit && positive;
          row[1] += hit && negative;
          row[2] += negative;
          row[3] += positive;
        }
      });
    });
    if (known) *out = new Tensor(std::move(counts));
  });
}
