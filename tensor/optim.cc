// Steps of optimizers in the order of operations of PyTorch's single-tensor implementations: on the CPU a foreach operation
// is the loop over its tensors, so the results are PyTorch's to the last bit. Python's numbers are doubles, and its ** is
// the C library's pow.
#include "guard.h"

#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <limits>

using lighter::guarded;
using lighter::List;
using lighter::list_of;
using at::Tensor;

namespace {

// Multiplies by a number as Python does. With 16-bit tensors on the CPU the foreach operation rounds the number to 16 bits first.
void scale(at::TensorList tensors, double by) {
  auto reduced = [](const Tensor &t) { return t.is_cpu() && (t.scalar_type() == at::kHalf || t.scalar_type() == at::kBFloat16); };
  if (!std::any_of(tensors.begin(), tensors.end(), reduced)) {
    at::_foreach_mul_(tensors, by);
    return;
  }
  Tensor number = at::scalar_tensor(by, at::kDouble);
  number.unsafeGetTensorImpl()->set_wrapped_number(true);
  for (const Tensor &t : tensors) t.mul_(number);
}

// What a step works on: the parameters that have a gradient, and of those the gradients, state and counters.
struct Step {
  List params, grads;
  std::vector<List> state;
  List counters;
  std::vector<double> steps; // this one included
  std::vector<unsigned char> first;
  const double *options;
  int count, used = 0;

  // The rule's next option, in the order that optim's table gives them.
  double next() {
    TORCH_CHECK(used < count, "an optimizer's step lacks an option");
    return options[used++];
  }

  void negate_if(bool maximize) {
    if (maximize) grads = at::_foreach_neg(grads);
  }

  void decay_gradients(double weight_decay) {
    if (weight_decay != 0) grads = at::_foreach_add(grads, params, weight_decay);
  }

  void decay(double lr, double weight_decay, bool decoupled) {
    if (!decoupled)
      decay_gradients(weight_decay);
    else if (weight_decay != 0)
      scale(params, 1 - lr * weight_decay);
  }

  template <class F> std::vector<at::Scalar> by_step(F f) const {
    std::vector<at::Scalar> values;
    for (double t : steps) values.emplace_back(f(t));
    return values;
  }
};

// Counters and the like are float32 scalars on the CPU, where reading them waits for nothing.
float &scalar(const Tensor &t) {
  TORCH_CHECK(t.is_cpu() && t.scalar_type() == at::kFloat && t.numel() == 1, "an optimizer's counter is no float32 scalar on the CPU");
  return *t.data_ptr<float>();
}

void sgd(Step &s) {
  double lr = s.next(), momentum = s.next(), dampening = s.next(), weight_decay = s.next();
  bool nesterov = s.next() != 0;
  s.negate_if(s.next() != 0);
  s.decay_gradients(weight_decay);
  if (momentum != 0) {
    List old, theirs, &buffers = s.state[0];
    for (size_t i = 0; i < s.grads.size(); i++) {
      if (s.first[i]) {
        if (s.grads[i].is_sparse())
          buffers[i].zero_().add_(s.grads[i]);
        else
          buffers[i].copy_(s.grads[i]);
      } else {
        old.push_back(buffers[i]);
        theirs.push_back(s.grads[i]);
      }
    }
    if (!old.empty()) {
      scale(old, momentum);
      at::_foreach_add_(old, theirs, 1 - dampening);
    }
    s.grads = nesterov ? at::_foreach_add(s.grads, buffers, momentum) : buffers;
  }
  at::_foreach_add_(s.params, s.grads, -lr);
}

void average(Step &s, List &mean, double beta1, List &square, double beta2) {
  at::_foreach_lerp_(mean, s.grads, 1 - beta1);
  scale(square, beta2);
  at::_foreach_addcmul_(square, s.grads, s.grads, 1 - beta2);
}

void adam(Step &s) {
  double lr = s.next(), beta1 = s.next(), beta2 = s.next(), eps = s.next(), weight_decay = s.next();
  bool decoupled = s.next() != 0;
  s.negate_if(s.next() != 0);
  s.decay(lr, weight_decay, decoupled);
  average(s, s.state[0], beta1, s.state[1], beta2);
  if (s.state.size() > 2) at::_foreach_maximum_(s.state[2], s.state[1]);
  List denominators = at::_foreach_sqrt(s.state.back());
  at::_foreach_div_(denominators, s.by_step([&](double t) { return std::sqrt(1 - std::pow(beta2, t)); }));
  at::_foreach_add_(denominators, eps);
  at::_foreach_addcdiv_(s.params, s.state[0], denominators, s.by_step([&](double t) { return -(lr / (1 - std::pow(beta1, t))); }));
}

void nadam(Step &s) {
  double lr = s.next(), beta1 = s.next(), beta2 = s.next(), eps = s.next(), weight_decay = s.next(), momentum_decay = s.next();
  bool decoupled = s.next() != 0;
  s.negate_if(s.next() != 0);
  s.decay(lr, weight_decay, decoupled);
  List &products = s.state[0], &mean = s.state[1], &square = s.state[2];
  average(s, mean, beta1, square, beta2);
  auto mu = [&](double t) { return beta1 * (1.0 - 0.5 * std::pow(0.96, t * momentum_decay)); };
  std::vector<at::Scalar> of_grad, of_average;
  for (size_t i = 0; i < s.steps.size(); i++) {
    float &product = scalar(products[i]);
    double now = mu(s.steps[i]), then = mu(s.steps[i] + 1);
    product *= static_cast<float>(now);
    of_grad.emplace_back(-lr * (1.0 - now) / (1.0 - static_cast<double>(product)));
    of_average.emplace_back(-lr * then / (1.0 - static_cast<double>(product) * then));
  }
  List denominators = at::_foreach_div(square, s.by_step([&](double t) { return 1 - std::pow(beta2, t); }));
  at::_foreach_sqrt_(denominators);
  at::_foreach_add_(denominators, eps);
  at::_foreach_addcdiv_(s.params, s.grads, denominators, of_grad);
  at::_foreach_addcdiv_(s.params, mean, denominators, of_average);
}

void radam(Step &s) {
  double lr = s.next(), beta1 = s.next(), beta2 = s.next(), eps = s.next(), weight_decay = s.next();
  bool decoupled = s.next() != 0;
  s.negate_if(s.next() != 0);
  s.decay(lr, weight_decay, decoupled);
  average(s, s.state[0], beta1, s.state[1], beta2);
  List update = at::_foreach_div(s.state[0], s.by_step([&](double t) { return 1 - std::pow(beta1, t); }));
  scale(update, lr);
  const double rho_inf = 2 / (1 - beta2) - 1;
  List sure, squares; // those whose variance can be rectified
  std::vector<at::Scalar> correction, rectification;
  for (size_t i = 0; i < s.steps.size(); i++) {
    double t = s.steps[i], power = std::pow(beta2, t), left = 1 - power;
    double rho = rho_inf - 2 * t * power / left;
    if (!(rho > 5)) continue;
    sure.push_back(update[i]);
    squares.push_back(s.state[1][i]);
    correction.emplace_back(std::pow(left, 0.5));
    rectification.emplace_back(std::pow((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho), 0.5));
  }
  if (!sure.empty()) {
    List adaptive = at::_foreach_sqrt(squares);
    at::_foreach_add_(adaptive, eps);
    at::_foreach_reciprocal_(adaptive);
    at::_foreach_mul_(adaptive, correction);
    at::_foreach_mul_(sure, adaptive);
    at::_foreach_mul_(sure, rectification);
  }
  at::_foreach_add_(s.params, update, -1);
}

void adamax(Step &s) {
  double lr = s.next(), beta1 = s.next(), beta2 = s.next(), eps = s.next(), weight_decay = s.next();
  s.negate_if(s.next() != 0);
  s.decay_gradients(weight_decay);
  at::_foreach_lerp_(s.state[0], s.grads, 1 - beta1);
  scale(s.state[1], beta2);
  List size = at::_foreach_abs(s.grads);
  at::_foreach_add_(size, eps);
  at::_foreach_maximum_(s.state[1], size);
  at::_foreach_addcdiv_(s.params, s.state[0], s.state[1], s.by_step([&](double t) { return -(lr / (1 - std::pow(beta1, t))); }));
}

Tensor sparse_like(const Tensor &grad, const Tensor &values) {
  return at::_sparse_coo_tensor_unsafe(grad._indices(), values, grad.sizes(), values.options().layout(at::kSparse))._coalesced_(true);
}

void adagrad(Step &s) {
  double lr = s.next(), lr_decay = s.next(), weight_decay = s.next(), eps = s.next();
  s.negate_if(s.next() != 0);
  auto rate = [&](double t) { return lr / (1 + (t - 1) * lr_decay); };
  List params, grads, sums;
  std::vector<at::Scalar> sizes;
  for (size_t i = 0; i < s.grads.size(); i++) {
    if (!s.grads[i].is_sparse()) {
      params.push_back(s.params[i]);
      grads.push_back(s.grads[i]);
      sums.push_back(s.state[0][i]);
      sizes.emplace_back(-rate(s.steps[i]));
      continue;
    }
    TORCH_CHECK(weight_decay == 0, "weight_decay option is not compatible with sparse gradients");
    Tensor g = s.grads[i].coalesce(), values = g._values(), sum = s.state[0][i];
    sum.add_(sparse_like(g, values.pow(2)));
    Tensor root = sum.sparse_mask(g)._values().sqrt_().add_(eps);
    s.params[i].add_(sparse_like(g, values / root), -rate(s.steps[i]));
  }
  if (params.empty()) return;
  if (weight_decay != 0) grads = at::_foreach_add(grads, params, weight_decay);
  at::_foreach_addcmul_(sums, grads, grads, 1);
  List root = at::_foreach_sqrt(sums);
  at::_foreach_add_(root, eps);
  at::_foreach_addcdiv_(params, grads, root, sizes);
}

void adadelta(Step &s) {
  double lr = s.next(), rho = s.next(), eps = s.next(), weight_decay = s.next();
  s.negate_if(s.next() != 0);
  s.decay_gradients(weight_decay);
  List &squares = s.state[0], &deltas = s.state[1];
  scale(squares, rho);
  at::_foreach_addcmul_(squares, s.grads, s.grads, 1 - rho);
  List root = at::_foreach_add(squares, eps), delta = at::_foreach_add(deltas, eps);
  at::_foreach_sqrt_(root);
  at::_foreach_sqrt_(delta);
  at::_foreach_div_(delta, root);
  at::_foreach_mul_(delta, s.grads);
  scale(deltas, rho);
  at::_foreach_addcmul_(deltas, delta, delta, 1 - rho);
  at::_foreach_add_(s.params, delta, -lr);
}

void rmsprop(Step &s) {
  double lr = s.next(), momentum = s.next(), alpha = s.next(), eps = s.next();
  bool centered = s.next() != 0;
  double weight_decay = s.next();
  s.negate_if(s.next() != 0);
  s.decay_gradients(weight_decay);
  scale(s.state[0], alpha);
  at::_foreach_addcmul_(s.state[0], s.grads, s.grads, 1 - alpha);
  List average;
  if (centered) {
    List &means = s.state.back();
    at::_foreach_lerp_(means, s.grads, 1 - alpha);
    average = at::_foreach_addcmul(s.state[0], means, means, -1);
    at::_foreach_sqrt_(average);
  } else {
    average = at::_foreach_sqrt(s.state[0]);
  }
  at::_foreach_add_(average, eps);
  if (momentum > 0) {
    scale(s.state[1], momentum);
    at::_foreach_addcdiv_(s.state[1], s.grads, average);
    at::_foreach_add_(s.params, s.state[1], -lr);
  } else {
    at::_foreach_addcdiv_(s.params, s.grads, average, -lr);
  }
}

void rprop(Step &s) {
  double less = s.next(), more = s.next(), least = s.next(), most = s.next();
  s.negate_if(s.next() != 0);
  for (size_t i = 0; i < s.params.size(); i++) {
    Tensor &before = s.state[0][i], &size = s.state[1][i];
    Tensor sign = s.grads[i].mul(before).sign();
    sign.masked_fill_(sign.gt(0), more).masked_fill_(sign.lt(0), less).masked_fill_(sign.eq(0), 1);
    size.mul_(sign).clamp_(least, most);
    Tensor grad = s.grads[i].masked_fill(sign.eq(less), 0);
    s.params[i].addcmul_(grad.sign(), size, -1);
    before.copy_(grad);
  }
}

void asgd(Step &s) {
  double lr = s.next(), lambd = s.next(), alpha = s.next(), t0 = s.next(), weight_decay = s.next();
  s.negate_if(s.next() != 0);
  s.decay_gradients(weight_decay);
  for (size_t i = 0; i < s.params.size(); i++) {
    float &eta = scalar(s.state[0][i]), &mu = scalar(s.state[1][i]);
    Tensor &p = s.params[i], &mean = s.state[2][i];
    p.mul_(1 - lambd * static_cast<double>(eta));
    p.add_(s.grads[i], -static_cast<double>(eta));
    if (mu != 1)
      mean.add_(p.sub(mean).mul_(static_cast<double>(mu)));
    else
      mean.copy_(p);
    double t = s.steps[i];
    eta = static_cast<float>(lr / std::pow(1 + lambd * lr * t, alpha));
    mu = static_cast<float>(1 / std::max(1.0, t - t0));
  }
}

double epsilon_of(at::ScalarType type) {
  switch (type) {
  case at::kDouble: return std::numeric_limits<double>::epsilon();
  case at::kHalf: return 0.0009765625;
  case at::kBFloat16: return 0.0078125;
  default: return std::numeric_limits<float>::epsilon();
  }
}

void adafactor(Step &s) {
  double lr = s.next(), beta2_decay = s.next(), eps1 = s.next(), eps2 = s.next(), d = s.next(), weight_decay = s.next();
  s.negate_if(s.next() != 0);
  for (size_t i = 0; i < s.params.size(); i++) {
    Tensor &p = s.params[i], &g = s.grads[i];
    TORCH_CHECK(!p.is_complex(), "Adafactor does not support complex parameters");
    const double tiny = std::isnan(eps1) ? epsilon_of(p.scalar_type()) : eps1;
    const double t = s.steps[i], weight = std::pow(t, beta2_decay), rho = std::min(lr, 1 / std::pow(t, 0.5));
    const double root = std::pow(static_cast<double>(p.numel()), 0.5);
    const Tensor norm = at::linalg_vector_norm(p, 2);
    if (weight_decay != 0) p.mul_(1 - lr * weight_decay);
    Tensor estimate;
    if (g.dim() > 1) {
      auto mean_square = [&](int64_t dim) {
        return at::linalg_vector_norm(g, 2, at::IntArrayRef(dim), true).square_().div_(g.size(dim));
      };
      Tensor &rows = s.state[0][i], &columns = s.state[1][i];
      rows.lerp_(mean_square(-1), weight);
      columns.lerp_(mean_square(-2), weight);
      estimate = rows.matmul(columns);
      estimate.div_(rows.mean(-2, true).clamp_min_(tiny));
    } else {
      Tensor &variance = s.state[2][i];
      variance.lerp_(g * g, weight);
      estimate = variance.clone();
    }
    Tensor update = estimate.clamp_min_(tiny * tiny).rsqrt_();
    update.mul_(g);
    const Tensor size = at::linalg_vector_norm(update, 2);
    const double by = std::pow(static_cast<double>(update.numel()), 0.5) * d;
    if (p.is_cpu()) {
      double alpha = std::max(eps2, norm.item<double>() / root) * rho;
      p.add_(update, -alpha / std::max(1.0, size.item<double>() / by));
    } else { // the same on the device, without waiting for it
      p.sub_(update.mul_((norm / root).clamp_min(eps2) * rho / (size / by).clamp_min(1)));
    }
  }
}

Tensor orthogonal(const Tensor &grad, double a, double b, double c, int steps, double eps) {
  const bool tall = grad.size(0) > grad.size(1);
  Tensor x = grad.to(at::kBFloat16, false, true);
  if (tall) x = x.t();
  x.div_(at::linalg_vector_norm(x, 2).clamp_min(eps));
  for (int i = 0; i < steps; i++) {
    Tensor gram = x.matmul(x.t());
    x = at::addmm(x, at::addmm(gram, gram, gram, b, c), x, a);
  }
  return tall ? x.t() : x;
}

void muon(Step &s) {
  double lr = s.next(), weight_decay = s.next(), momentum = s.next();
  bool nesterov = s.next() != 0;
  double a = s.next(), b = s.next(), c = s.next(), eps = s.next(), steps = s.next();
  bool as_adamw = s.next() != 0;
  for (size_t i = 0; i < s.params.size(); i++) {
    Tensor &p = s.params[i], &g = s.grads[i], &buffer = s.state[0][i];
    TORCH_CHECK(!p.is_complex(), "Muon does not support complex parameters");
    TORCH_CHECK(g.dim() == 2, "Param gradient must be a 2D matrix");
    buffer.lerp_(g, 1 - momentum);
    Tensor update = orthogonal(nesterov ? g.lerp(buffer, momentum) : buffer, a, b, c, static_cast<int>(steps), eps);
    double rows = static_cast<double>(p.size(0)), columns = static_cast<double>(p.size(1));
    double ratio = as_adamw ? 0.2 * std::sqrt(std::max(rows, columns)) : std::sqrt(std::max(1.0, rows / columns));
    p.mul_(1 - lr * weight_decay);
    p.add_(update, -(lr * ratio));
  }
}

void sparse_adam(Step &s) {
  double lr = s.next(), beta1 = s.next(), beta2 = s.next(), eps = s.next();
  bool maximize = s.next() != 0;
  for (size_t i = 0; i < s.params.size(); i++) {
    TORCH_CHECK(s.grads[i].is_sparse(), "SparseAdam does not support dense gradients, please consider Adam instead");
    Tensor g = (maximize ? -s.grads[i] : s.grads[i]).coalesce(), values = g._values();
    if (values.numel() == 0) continue;
    Tensor &mean = s.state[0][i], &square = s.state[1][i];
    Tensor old_mean = mean.sparse_mask(g)._values(), old_square = square.sparse_mask(g)._values();
    Tensor mean_update = values.sub(old_mean).mul_(1 - beta1);
    mean.add_(sparse_like(g, mean_update));
    Tensor square_update = values.pow(2).sub_(old_square).mul_(1 - beta2);
    square.add_(sparse_like(g, square_update));
    Tensor numerator = mean_update.add(old_mean);
    Tensor denominator = square_update.add(old_square).sqrt_().add_(eps);
    double t = s.steps[i], size = lr * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t));
    s.params[i].add_(sparse_like(g, numerator.div_(denominator).mul_(-size)));
  }
}

const struct {
  void (*step)(Step &);
  bool sparse; // takes sparse gradients
  const char *refusal;
} rules[] = {
    {sgd, true, ""},
    {adam, false, "Adam does not support sparse gradients, please consider SparseAdam instead"},
    {nadam, false, "NAdam does not support sparse gradients"},
    {radam, false, "RAdam does not support sparse gradients"},
    {adamax, false, "Adamax does not support sparse gradients"},
    {adagrad, true, ""},
    {adadelta, false, "Adadelta does not support sparse gradients"},
    {rmsprop, false, "RMSprop does not support sparse gradients"},
    {rprop, false, "Rprop does not support sparse gradients"},
    {asgd, false, "ASGD does not support sparse gradients"},
    {adafactor, false, "Adafactor does not support sparse gradients"},
    {muon, false, "Muon does not support sparse gradients"},
    {sparse_adam, true, ""},
};

Tensor as_real(const Tensor &t) { return t.defined() && t.is_complex() ? at::view_as_real(t) : t; }

} // namespace

int lt_optimizer_step(int rule, lt_list params, const lt_list *state, int columns, lt_list step,
                      const unsigned char *first, const double *options, int count) {
  return guarded([&] {
    at::NoGradGuard no_grad;
    const List &all = list_of(params);
    Step s;
    s.options = options;
    s.count = count;
    s.state.resize(columns);
    s.params.reserve(all.size());
    s.grads.reserve(all.size());
    for (size_t i = 0; i < all.size(); i++) {
      const Tensor &grad = all[i].grad();
      if (!grad.defined()) continue;
      TORCH_CHECK(!grad.is_sparse() || rules[rule].sparse, rules[rule].refusal);
      s.params.push_back(as_real(all[i]));
      s.grads.push_back(grad.is_sparse() ? grad : as_real(grad));
      for (int c = 0; c < columns; c++) s.state[c].push_back(as_real(list_of(state[c])[i]));
      if (step) {
        float &t = scalar(list_of(step)[i]);
        t += 1;
        s.steps.push_back(t);
      }
      s.first.push_back(first ? first[i] : 0);
    }
    if (!s.params.empty()) rules[rule].step(s);
  });
}

int lt_fused_adagrad(lt_list params, lt_list sum, lt_list step, double lr, double lr_decay, double weight_decay, double eps,
                     int maximize) {
#if TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR >= 204
  return guarded([&] {
    at::NoGradGuard no_grad;
    List p, g, s, t;
    const List &all = list_of(params);
    for (size_t i = 0; i < all.size(); i++) {
      const Tensor &grad = all[i].grad();
      if (!grad.defined()) continue;
      TORCH_CHECK(!grad.is_sparse(), "`fused` does not support sparse grad or complex param");
      p.push_back(all[i]);
      g.push_back(grad);
      s.push_back(list_of(sum)[i]);
      t.push_back(list_of(step)[i]);
      scalar(t.back()) += 1;
    }
    if (!p.empty()) at::_fused_adagrad_(p, g, s, t, lr, lr_decay, weight_decay, eps, maximize != 0);
  });
#else
  return guarded([&] { TORCH_CHECK(false, "this libtorch has no fused Adagrad"); });
#endif
}
