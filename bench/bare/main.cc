// bare is the measure of lighter's cost per step: the same training, written by hand against libtorch.
//
//   bare mlp DIGITS EPOCHS          the network of ../mlp.yaml; DIGITS holds rows of 64 pixels and the label, a byte each
//   bare cnn EPOCHS [channels_last] the network of ../cnn.yaml on images of noise
//
// It prints what it trained and the time of a step.
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <torch/torch.h>

using at::Tensor;

// Adam with PyTorch's defaults: one fused call a step.
struct Adam {
  std::vector<Tensor> params, grads, exp_avg, exp_avg_sq, steps;

  explicit Adam(std::vector<Tensor> list) : params(std::move(list)), grads(params.size()) {
    for (Tensor &p : params) {
      exp_avg.push_back(at::zeros_like(p));
      exp_avg_sq.push_back(at::zeros_like(p));
      steps.push_back(at::zeros({}));
      p.set_requires_grad(true);
    }
  }

  void step() {
    at::NoGradGuard no_grad;
    for (size_t i = 0; i < params.size(); i++) grads[i] = params[i].grad();
    at::_foreach_add_(steps, 1);
    at::_fused_adam_(params, grads, exp_avg, exp_avg_sq, {}, steps, /*lr=*/1e-3, /*beta1=*/0.9, /*beta2=*/0.999,
                     /*weight_decay=*/0, /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
    for (size_t i = 0; i < params.size(); i++) {
      params[i].mutable_grad().reset();
      grads[i].reset();
    }
  }
};

// A weight or bias as PyTorch's layers draw it: uniform within 1/sqrt(fan_in).
Tensor uniform(at::IntArrayRef shape, int64_t fan_in) {
  double bound = 1 / std::sqrt(double(fan_in));
  return at::empty(shape).uniform_(-bound, bound);
}

// train runs step(index of the batch's rows) over shuffled rows and returns the number of steps.
template <class Step> int64_t train(int64_t rows, int64_t batch, int64_t epochs, Step step) {
  auto start = std::chrono::steady_clock::now();
  int64_t n = 0;
  for (int64_t epoch = 0; epoch < epochs; epoch++) {
    Tensor order = at::randperm(rows, at::kLong);
    for (int64_t from = 0; from < rows; from += batch, n++) step(order.narrow(0, from, std::min(batch, rows - from)));
  }
  std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  std::printf("%lld steps, %.1f us/step\n", (long long)n, took.count() / n);
  return n;
}

void mlp(const char *digits, int64_t epochs) {
  std::ifstream in(digits, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.size() < 1400 * 65) throw std::runtime_error(std::string(digits) + ": too short");
  Tensor table = at::from_blob(bytes.data(), {1400, 65}, at::kByte);
  Tensor x = table.narrow(1, 0, 64).to(at::kFloat).div(16), y = table.select(1, 64).to(at::kLong);

  Tensor w1 = uniform({128, 64}, 64), b1 = uniform({128}, 64), w2 = uniform({10, 128}, 128), b2 = uniform({10}, 128);
  Adam adam({w1, b1, w2, b2});
  Tensor correct = at::zeros({}, at::kLong);
  int64_t steps = train(1400, 32, epochs, [&](const Tensor &rows) {
    Tensor input = x.index_select(0, rows), target = y.index_select(0, rows);
    Tensor pred = at::linear(at::relu(at::linear(input, w1, b1)), w2, b2);
    at::cross_entropy_loss(pred, target).backward();
    adam.step();
    correct.add_(pred.detach().argmax(1).eq(target).sum());
  });
  std::printf("accuracy while training %.4f\n", correct.item<double>() / (1400.0 * steps / 44));
}

void cnn(int64_t epochs, bool channels_last) {
  auto format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  Tensor x = at::randn({1280, 3, 32, 32}), y = at::randn({1280, 10});
  const std::vector<int64_t> channels{3, 32, 64, 128};
  std::vector<Tensor> params, mean, var;
  for (int i = 0; i < 3; i++) {
    int64_t in = channels[i], out = channels[i + 1];
    params.push_back(uniform({out, in, 3, 3}, in * 9).contiguous(format));
    params.push_back(uniform({out}, in * 9));
    params.push_back(at::ones({out}));
    params.push_back(at::zeros({out}));
    mean.push_back(at::zeros({out}));
    var.push_back(at::ones({out}));
  }
  params.push_back(uniform({10, 128}, 128));
  params.push_back(uniform({10}, 128));
  Adam adam(params);
  Tensor total = at::zeros({});
  train(1280, 128, epochs, [&](const Tensor &rows) {
    Tensor h = x.index_select(0, rows).contiguous(format), target = y.index_select(0, rows);
    for (int i = 0; i < 3; i++) {
      h = at::conv2d(h, params[4 * i], params[4 * i + 1], 1, 1);
      h = at::batch_norm(h, params[4 * i + 2], params[4 * i + 3], mean[i], var[i], true, 0.1, 1e-5, false).relu_();
      if (i < 2) h = at::max_pool2d(h, 2);
    }
    Tensor pred = at::linear(at::adaptive_avg_pool2d(h, {1, 1}).flatten(1), params[12], params[13]);
    Tensor loss = at::mse_loss(pred, target);
    loss.backward();
    adam.step();
    total.add_(loss.detach());
  });
  std::printf("mean loss %.4f\n", total.item<double>() / (10.0 * epochs));
}

int main(int argc, char **argv) {
  // As lighter does: keep freed memory, or every large tensor is a page fault again.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  at::manual_seed(0);
  std::string what = argc > 1 ? argv[1] : "";
  try {
    if (what == "mlp" && argc == 4) mlp(argv[2], std::atoll(argv[3]));
    else if (what == "cnn" && argc >= 3) cnn(std::atoll(argv[2]), argc > 3 && !std::strcmp(argv[3], "channels_last"));
    else throw std::runtime_error("usage: bare mlp DIGITS EPOCHS | bare cnn EPOCHS [channels_last]");
  } catch (const c10::Error &e) {
    std::fprintf(stderr, "bare: %s\n", e.what_without_backtrace());
    return 1;
  } catch (const std::exception &e) {
    std::fprintf(stderr, "bare: %s\n", e.what());
    return 1;
  }
}
